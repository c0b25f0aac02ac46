module.exports = { serverExternalPackages: ['dynamodb-session', 'express-session'] }
