/** A conversation with a model, as OpenAI-compatible endpoints take it, and what every model here must do. */

export interface ToolCall {
  id: string;
  name: string;
  /** As the model wrote them: JSON, if it did well. */
  argumentsJson: string;
}

export type ChatMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCall[] }
  | { role: 'tool'; toolCallId: string; content: string };

/** A tool as the model sees it. */
export interface ToolDescription {
  name: string;
  description: string;
  /** JSON Schema of its arguments. */
  parameters: object;
}

export interface ModelRequest {
  messages: readonly ChatMessage[];
  /** None: the model is to answer with text. */
  tools: readonly ToolDescription[];
  /** The same for every attempt of one step: endpoints that know such keys answer a repetition from memory. */
  idempotencyKey: string;
  /** Aborts the call. */
  signal?: AbortSignal;
}

export interface ModelReply {
  text: string;
  toolCalls: ToolCall[];
}

export interface Model {
  /** Shown beside everything it says. */
  readonly name: string;
  /** @throws ApplicationFailure that says whether another attempt may help */
  complete(request: ModelRequest): Promise<ModelReply>;
}
