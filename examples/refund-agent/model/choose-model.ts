/** Which model the agent asks: an endpoint if one is named, else the scripted one, and a sentence that says so. */
import type { Model } from './chat.js';
import { openAiModel } from './openai-model.js';
import { scriptedModel } from './scripted-model.js';

export interface ChosenModel {
  readonly model: Model;
  /** For people. */
  readonly sentence: string;
}

const CALL_TIMEOUT_MS = 90_000;

export function chooseModel(env: Readonly<Record<string, string | undefined>>): ChosenModel {
  const name = env['PERDURE_MODEL'];
  const baseUrl = env['OPENAI_BASE_URL'];
  const apiKey = env['OPENAI_API_KEY'];
  if (name && (baseUrl || apiKey)) {
    const endpoint = baseUrl || 'https://api.openai.com/v1';
    return { model: openAiModel({ baseUrl: endpoint, apiKey: apiKey ?? '', model: name, timeoutMs: CALL_TIMEOUT_MS }), sentence: `Model: ${name} at ${endpoint}.` };
  }
  const missing = name ? 'OPENAI_BASE_URL or OPENAI_API_KEY' : 'PERDURE_MODEL';
  const why = name || baseUrl || apiKey ? `${missing} is not set` : 'no model is configured';
  return {
    model: scriptedModel,
    sentence: `Model: scripted, a stand-in of this example that follows rules (${why}; OPENAI_BASE_URL, OPENAI_API_KEY and PERDURE_MODEL name a real one).`,
  };
}
