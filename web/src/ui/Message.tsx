/** An error as the project words it: what was found, what is expected, what to try. */

const PARTS = /^(.*?)(?:\.? Expected: (.*?))?(?:\.? Try: (.*?))?$/s;

export function Message({ text }: { text: string }) {
  const [found = text, expected, remedy] = (PARTS.exec(text) ?? []).slice(1) as (string | undefined)[];
  return (
    <dl className="message">
      <div><dt>Found</dt><dd>{sentenceOf(found)}</dd></div>
      {expected !== undefined && <div><dt>Expected</dt><dd>{sentenceOf(expected)}</dd></div>}
      {remedy !== undefined && <div><dt>Try</dt><dd>{sentenceOf(remedy)}</dd></div>}
    </dl>
  );
}

/** Ends with a full stop. The first letter stays: it may be that of a file's name. */
function sentenceOf(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
