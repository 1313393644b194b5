/** The metrics of several processes as one Prometheus text: every sample says which process it is of, every name is explained once. */

export function joinMetrics(texts: readonly (readonly [process: number, text: string])[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  const family = (name: string): { head: string[]; samples: string[] } => {
    const known = families.get(name) ?? { head: [], samples: [] };
    families.set(name, known);
    return known;
  };
  for (const [process, text] of texts) {
    for (const line of text.split('\n')) {
      const head = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (head) {
        const { head: lines } = family(head[1]!);
        if (!lines.includes(line)) lines.push(line);
        continue;
      }
      const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (.+)$/.exec(line);
      if (!sample) continue;
      const labels = [`process="${process}"`, sample[2]].filter(Boolean).join(',');
      family(sample[1]!).samples.push(`${sample[1]}{${labels}} ${sample[3]}`);
    }
  }
  return [...families.values()].flatMap(({ head, samples }) => [...head, ...samples].map((line) => `${line}\n`)).join('');
}
