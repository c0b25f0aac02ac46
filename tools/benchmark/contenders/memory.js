'use strict'

// A bound: what an app does when its sessions cost nothing.
module.exports = {
  title: 'MemoryStore',
  layout: null,
  frameworks: ['express'],
  open() {
    const { MemoryStore } = require('express-session')
    return new MemoryStore()
  }
}
