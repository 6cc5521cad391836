/**
 * The assignment of rows to columns of a square table that costs least in all.
 *
 * Shortest augmenting paths with dual prices, after Kuhn 1955, doi 10.1002/nav.3800020109.
 *
 * @returns the column of each row.
 */
export function cheapest(costs: readonly (readonly number[])[]): number[] {
  const size = costs.length;
  const rowPrice = new Float64Array(size);
  const columnPrice = new Float64Array(size);
  const rowOf = new Int32Array(size).fill(-1);
  for (let start = 0; start < size; start += 1) {
    const reached = new Float64Array(size).fill(Infinity);
    const from = new Int32Array(size).fill(-1);
    const done = new Uint8Array(size);
    let [row, last] = [start, -1];
    for (;;) {
      let [next, least] = [-1, Infinity];
      for (let column = 0; column < size; column += 1) {
        if (done[column] === 1) continue;
        const reduced = costs[row][column] - rowPrice[row] - columnPrice[column];
        if (reduced < reached[column]) [reached[column], from[column]] = [reduced, last];
        if (reached[column] < least) [least, next] = [reached[column], column];
      }
      rowPrice[start] += least;
      for (let column = 0; column < size; column += 1) {
        if (done[column] === 0) reached[column] -= least;
        else {
          rowPrice[rowOf[column]] += least;
          columnPrice[column] -= least;
        }
      }
      done[next] = 1;
      last = next;
      if (rowOf[next] < 0) break;
      row = rowOf[next];
    }
    // Along the path each column goes over to the row before it.
    for (let column = last; column >= 0; column = from[column]) rowOf[column] = from[column] < 0 ? start : rowOf[from[column]];
  }
  const columns = new Array<number>(size).fill(-1);
  rowOf.forEach((row, column) => { columns[row] = column; });
  return columns;
}
