/** Who PostgreSQL runs as. It refuses to run as root, so root lends it an account that exists and owns nothing of value. */
import { readFileSync } from 'node:fs';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference; `_postgres` is what macOS calls it. */
const PREFERRED = ['postgres', '_postgres', 'nobody'];

/**
 * The account to switch to, or undefined when this process is not root and PostgreSQL simply runs as its user.
 * @param passwd text of /etc/passwd
 */
export const accountForPostgres = (uid = process.getuid?.(), passwd = uid === 0 ? readFileSync('/etc/passwd', 'utf8') : ''): Account | undefined => {
  if (uid !== 0) return undefined;
  const accounts = passwd.split('\n').flatMap((line) => {
    const [name, , id, group] = line.split(':');
    return name !== undefined && Number(id) > 0 ? [{ name, uid: Number(id), gid: Number(group) }] : [];
  });
  for (const name of PREFERRED) {
    const found = accounts.find((account) => account.name === name);
    if (found !== undefined) return found;
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and /etc/passwd has none of the accounts ${PREFERRED.join(', ')} to run it as. Start Perdure as an ordinary user, or set DATABASE_URL.`,
  );
};
