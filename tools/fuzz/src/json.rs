//! JSON values as JavaScript sees them.

use serde_json::Value;

/// Turns all numbers into doubles: JavaScript has one type of number, so `2.0` and `2` are the same value.
pub fn numbers_as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(numbers_as_doubles).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, numbers_as_doubles(member))).collect()
        }
        other => other,
    }
}
