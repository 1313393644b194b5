/** What was asked of the database when it was lost may have been done. What nobody else would take up for seconds is taken up as soon as it answers. */
import type { OutboxMessage } from '../core/message.js';
import type { Engine } from './engine.js';

const LOOK_AGAIN_MS = 250;
/** Longer than any claim holds. */
const GIVE_UP_MS = 60_000;

/** Does something as soon as the database answers again. */
export function whenItAnswers(engine: Engine, work: () => Promise<void>): void {
  const untilMs = engine.wall.now() + GIVE_UP_MS;
  const look = (): void => {
    work().catch((err: unknown) => {
      if (engine.wall.now() < untilMs) setTimeout(look, LOOK_AGAIN_MS).unref();
      else engine.log.warn({ err }, 'what was claimed or sent while the database was lost waits until its time is up');
    });
  };
  setTimeout(look, LOOK_AGAIN_MS).unref();
}

/** The database was lost with a commit that sends messages: if it was carried out, they are this node's to deliver, for some seconds nobody else does. */
export function deliverLater(engine: Engine, messages: readonly OutboxMessage[]): void {
  if (messages.length === 0) return;
  whenItAnswers(engine, async () => {
    const present = await engine.outbox.present(messages.map(({ id }) => id));
    engine.courier.send(messages.filter(({ id }) => present.has(id)));
  });
}
