/**
 * Search attributes that are not in the index, which every run would burden with the same few values: the builds that have worked on a run. They are
 * read out of its state as it lies there, so a query by them looks at every run that the rest of it leaves.
 */
import { usualBuildIds } from '../core/kinds/completion-marks.js';

const STRING = `(?:[^"\\\\]|\\\\.)*`;

/** A list of strings in the snapshot's JSON text. As a key it can stand nowhere else: inside of strings its quotes are escaped. */
const LIST = `"buildIds":(\\[(?:"${STRING}",?)*\\])`;

/** A run without that list has known the build of its last worker alone (server/storage/snapshot-codec.ts). Another object with this one key is not there. */
const LAST = `"lastWorkerVersion":\\{"buildId":"(${STRING})"\\}`;

const TEXT = `convert_from(snapshot, 'UTF8')`;

/** The attribute as the text of a JSON list; null when it is empty. Of the last worker's build as `usualBuildIds` has it. */
const BUILD_IDS = `nullif(coalesce(substring(${TEXT} from '${LIST}'),
    '["unversioned"' || coalesce(',"unversioned:' || nullif(substring(${TEXT} from '${LAST}'), '') || '"', '') || case when ${TEXT} ~ '${LAST}' then ']' end), '[]')`;

export const DERIVED: Readonly<Record<string, string>> = { BuildIds: `(${BUILD_IDS})::jsonb` };

/** What a list fetches for it: most snapshots are small, and are searched here much faster than by the database. */
export const BUILD_COLUMNS = `case when octet_length(snapshot) <= 4096 then snapshot end as small_snapshot,
  case when octet_length(snapshot) > 4096 then ${BUILD_IDS} end as build_ids`;

const LIST_IN_TEXT = new RegExp(LIST);
const LAST_IN_TEXT = new RegExp(LAST);

export function buildIdsOf(row: Record<string, unknown>): string[] {
  const small = row.small_snapshot as Buffer | null;
  if (!small) return listOf(row.build_ids as string | null);
  const text = small.toString('utf8');
  const list = LIST_IN_TEXT.exec(text);
  if (list) return listOf(list[1]);
  const last = LAST_IN_TEXT.exec(text);
  return last ? usualBuildIds(JSON.parse(`"${last[1]}"`) as string) : [];
}

const listOf = (json: string | null | undefined): string[] => (json ? (JSON.parse(json) as string[]) : []);
