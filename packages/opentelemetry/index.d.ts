import { InstrumentationBase, InstrumentationConfig } from '@opentelemetry/instrumentation'

/** Options of the instrumentation. */
export interface DynamoDBSessionInstrumentationConfig extends InstrumentationConfig {
  /** Whether operations without an active span make no span, such as those at startup. Default: false. */
  requireParentSpan?: boolean
}

/**
 * Makes a span of each operation of every dynamodb-session store in the process, and measures its duration. Needs no
 * access to the stores.
 */
export class DynamoDBSessionInstrumentation extends InstrumentationBase<DynamoDBSessionInstrumentationConfig> {
  constructor(config?: DynamoDBSessionInstrumentationConfig)
  protected init(): void
}
