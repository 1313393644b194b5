/** Workflows whose timeouts are short: whatever gets lost on the way is handed out again soon. */
import { proxyActivities, sleep } from '@perdure/sdk/workflow';

const { echo } = proxyActivities<{ echo(value: string): Promise<string> }>({
  startToCloseTimeout: '1 second',
  retry: { initialInterval: 20 },
});

export async function manySteps(count: number): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < count; i++) {
    results.push(await echo(String(i)));
    await sleep(5);
  }
  return results;
}
