/**
 * Search attributes that are not in the index, which every run would burden with the same few values: the builds that have worked on a run. They are
 * read out of its state as it lies there, so a query by them looks at every run that the rest of it leaves.
 */

/** A list of strings in the snapshot's JSON text. As a key it can stand nowhere else: inside of strings its quotes are escaped. */
const LIST = `"buildIds":(\\[(?:"(?:[^"\\\\]|\\\\.)*",?)+\\])`;

/** The attribute as a JSON list; null when it is empty. */
const BUILD_IDS = `substring(convert_from(snapshot, 'UTF8') from '${LIST}')`;

export const DERIVED: Readonly<Record<string, string>> = { BuildIds: `(${BUILD_IDS})::jsonb` };

/** What a list fetches for it: most snapshots are small, and are searched here much faster than by the database. */
export const BUILD_COLUMNS = `case when octet_length(snapshot) <= 4096 then snapshot end as small_snapshot,
  case when octet_length(snapshot) > 4096 then ${BUILD_IDS} end as build_ids`;

const IN_TEXT = new RegExp(LIST);

export function buildIdsOf(row: Record<string, unknown>): string[] {
  const small = row.small_snapshot as Buffer | null;
  const found = small ? IN_TEXT.exec(small.toString('utf8'))?.[1] : (row.build_ids as string | null);
  return found ? (JSON.parse(found) as string[]) : [];
}
