/** Files the answer to the customer and how the case ended. Asked again, it changes nothing. */
import type { Ending } from '../agent/conversation.js';
import type { Dependencies } from './index.js';

export interface Resolution {
  disputeId: number;
  outcome: Ending['outcome'];
  answer: string;
}

export const closeDispute =
  ({ database }: Dependencies) =>
  async ({ disputeId, outcome, answer }: Resolution): Promise<void> => {
    await database.write((query) =>
      query('insert into shop.resolutions (dispute_id, outcome, answer) values ($1, $2, $3) on conflict do nothing', [disputeId, outcome, answer]),
    );
  };
