/** Reads the CSV files of `data/`: a header line, fields that may be quoted, empty fields for null. */

export type CsvRow = Record<string, string | null>;

const FIELD = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y;

/** @throws when a line has more or fewer fields than the header */
export function parseCsv(text: string): CsvRow[] {
  const [header, ...lines] = records(text.replaceAll('\r\n', '\n'));
  if (!header) return [];
  return lines.map((fields, index) => {
    if (fields.length !== header.length) throw new Error(`Line ${index + 2}: expected ${header.length} fields, got ${fields.length}`);
    return Object.fromEntries(header.map((name, i) => [name, fields[i] === '' ? null : fields[i]!]));
  });
}

function records(text: string): string[][] {
  const result: string[][] = [];
  let fields: string[] = [];
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length) {
    const at = FIELD.lastIndex;
    const match = FIELD.exec(text);
    if (!match) throw new Error(`Malformed CSV at character ${at}`);
    const [, quoted, plain, end] = match;
    fields.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    result.push(fields);
    fields = [];
  }
  return result;
}
