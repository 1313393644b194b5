/** Where a workflow waits, as the query `__enhanced_stack_trace` answers. */

/** Who made a stack trace: `name` and `version` of an SDK. */
export interface StackTraceSDKInfo {
  name: string;
  version: string;
}

/** A part of a source file. */
export interface StackTraceFileSlice {
  /** Lines of the file before this part; 0 for a whole file, which is what this SDK sends. */
  line_offset: number;
  /** The text, lines separated by `\n`. */
  content: string;
}

/** A place in a source file. */
export interface StackTraceFileLocation {
  /** As the bundle's source map names the file. */
  file_path?: string;
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
  /** Absent for code outside of functions. */
  function_name?: string;
  /** Whether the place is in the SDK. */
  internal_code: boolean;
}

/** Where a workflow waits for one thing. */
export interface StackTrace {
  /** The innermost call first. */
  locations: StackTraceFileLocation[];
}

/** Answer of the query `__enhanced_stack_trace`. */
export interface EnhancedStackTrace {
  /** Of the worker that answers. */
  sdk: StackTraceSDKInfo;
  /** Files by their path; empty unless {@link WorkerOptions.showStackTraceSources} is set. */
  sources: Record<string, StackTraceFileSlice[]>;
  /** One for each place that waits. */
  stacks: StackTrace[];
}
