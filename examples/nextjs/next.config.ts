import type { NextConfig } from 'next'

// A native addon cannot be bundled.
const config: NextConfig = { serverExternalPackages: ['dynamodb-session'] }

export default config
