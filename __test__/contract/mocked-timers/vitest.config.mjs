import os from 'node:os'
import path from 'node:path'

export default {
  cacheDir: path.join(os.tmpdir(), 'dynamodb-session-vitest'),
  test: { include: ['vitest.test.mjs'] }
}
