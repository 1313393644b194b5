/** Hydrates the agent: the dispute and its customer. */
import { ApplicationFailure } from '@perdure/sdk/activity';
import { type Case, findCase } from '../shop/queries.js';
import type { Dependencies } from './index.js';

export const loadCase =
  ({ database }: Dependencies) =>
  async (disputeId: number): Promise<Case> => {
    const found = await database.read((query) => findCase(query, disputeId));
    if (!found) throw ApplicationFailure.nonRetryable(`There is no dispute ${disputeId}.`, 'NoSuchDispute');
    return found;
  };
