/** The agent's activities: everything that touches the world. The workflow sees their types only. */
import type { Model } from '../model/chat.js';
import type { ShopDatabase } from '../shop/database.js';
import { askModel } from './ask-model.js';
import { checkToolCall } from './check-tool-call.js';
import { closeDispute } from './close-dispute.js';
import { loadCase } from './load-case.js';
import { refund } from './refund.js';
import { runQuery } from './run-query.js';
import { validateProposal } from './validate-proposal.js';

export interface Dependencies {
  readonly database: ShopDatabase;
  readonly model: Model;
}

export const createActivities = (dependencies: Dependencies) => ({
  loadCase: loadCase(dependencies),
  askModel: askModel(dependencies),
  checkToolCall,
  runQuery: runQuery(dependencies),
  validateProposal: validateProposal(dependencies),
  refund: refund(dependencies),
  closeDispute: closeDispute(dependencies),
});

export type Activities = ReturnType<typeof createActivities>;
