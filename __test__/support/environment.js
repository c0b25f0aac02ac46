'use strict'

/** Variables that keep a test from the machine's own AWS settings. */
const base = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent', PATH: process.env.PATH }

/** Runs `work` while `process.env` is another object. */
async function withEnvironment(variables, work) {
  const real = process.env
  process.env = { ...base, ...variables }
  for (const [name, value] of Object.entries(variables)) if (value === undefined) delete process.env[name]
  try {
    return await work()
  } finally {
    process.env = real
  }
}

module.exports = { base, withEnvironment }
