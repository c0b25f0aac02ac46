// TypeScript as an ECMAScript module.
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import {
  DynamoDBSessionInstrumentation,
  type DynamoDBSessionInstrumentationConfig
} from '../../packages/opentelemetry/index.js'

const config: DynamoDBSessionInstrumentationConfig = { enabled: true, requireParentSpan: true }
const instrumentation = new DynamoDBSessionInstrumentation(config)
registerInstrumentations({ instrumentations: [instrumentation] })
instrumentation.setConfig({ requireParentSpan: false })
instrumentation.disable()

// @ts-expect-error: there is no such option
new DynamoDBSessionInstrumentation({ requireParent: true })
