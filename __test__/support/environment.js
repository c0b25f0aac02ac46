'use strict'

/** Variables that hide the AWS settings of this machine from a test. */
const base = { AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent', PATH: process.env.PATH }

/** Runs `work` while `process.env` is replaced by an object with these variables. */
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
