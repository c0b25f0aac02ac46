'use strict'

/** Lets a class add its private fields to an object that exists. */
class Existing {
  constructor(object) {
    return object
  }
}

/**
 * Creates a field that an object of the app can have without the app seeing it, as with a WeakMap. Private fields are less
 * work for the garbage collector than the entries of a WeakMap.
 */
function createHiddenField() {
  /** The values of objects that are not extensible. Future versions of JavaScript do not add private fields to them. */
  const others = new WeakMap()

  return class HiddenField extends Existing {
    #value

    /** Returns undefined if the object has no value, or is not an object. */
    static get(object) {
      const isObject = (typeof object === 'object' && object !== null) || typeof object === 'function'
      return isObject && #value in object ? object.#value : others.get(object)
    }

    static set(object, value) {
      if (#value in object) object.#value = value
      else if (Object.isExtensible(object)) new HiddenField(object).#value = value
      else others.set(object, value)
    }
  }
}

module.exports = { createHiddenField }
