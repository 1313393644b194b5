/**
 * Search attributes that are not in the index, which every run would burden with the same few values: the builds that have worked on a run. They are
 * read out of its state as it lies there, so a query by them looks at every run that the rest of it leaves.
 */

/** A list of strings in the snapshot's JSON text. As a key it can stand nowhere else: inside of strings its quotes are escaped. */
const LIST = `"buildIds":(\\[(?:"(?:[^"\\\\]|\\\\.)*",?)+\\])`;

/** The attribute as a JSON list; null when it is empty. */
export const BUILD_IDS = `substring(convert_from(snapshot, 'UTF8') from '${LIST}')`;

export const DERIVED: Readonly<Record<string, string>> = { BuildIds: `(${BUILD_IDS})::jsonb` };
