// TypeScript as a CommonJS module.
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import opentelemetry = require('../../packages/opentelemetry')

registerInstrumentations({ instrumentations: [new opentelemetry.DynamoDBSessionInstrumentation()] })
