export const CLIENT: string;
export function clientTypes(): Promise<string>;
