//! The environment of a store. The caller provides the variables, because those of the process may differ from those that
//! the app sees (a Worker with its own `env`, a replaced `process.env`, a test that deletes a variable).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::sync::lock;

/// A snapshot of environment variables.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// Minutes that local time is behind UTC, as returned by JavaScript's `getTimezoneOffset`.
    timezone_offset: i32,
}

impl Environment {
    /// Ignores variables with an empty value, and white space around values, such as the line ending of a Windows `.env`
    /// file.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, timezone_offset: i32) -> Self {
        let trimmed = variables.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        Self { variables: trimmed.filter(|(_, value)| !value.is_empty()).collect(), timezone_offset }
    }

    /// The value of a variable: trimmed, never empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// The first of some variables that is set, with its name.
    pub fn first<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<(&'n str, &str)> {
        names.into_iter().find_map(|name| Some((name, self.get(name)?)))
    }

    /// Minutes that local time is behind UTC.
    pub fn timezone_offset(&self) -> i32 {
        self.timezone_offset
    }

    /// All variables.
    pub fn variables(&self) -> &HashMap<String, String> {
        &self.variables
    }
}

/// Prints only the names, because values may be secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// The latest snapshot, which the parts of a store share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedEnvironment(Arc<Mutex<Arc<Environment>>>);

impl SharedEnvironment {
    pub(crate) fn get(&self) -> Arc<Environment> {
        Arc::clone(&lock(&self.0))
    }

    pub(crate) fn set(&self, environment: Environment) {
        *lock(&self.0) = Arc::new(environment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_empty_values_are_ignored() {
        let variables = [("A", " a b\r"), ("B", ""), ("C", " \r\n\t"), ("D", "d")];
        let environment = Environment::new(variables.map(|(name, value)| (name.into(), value.into())), 0);
        assert_eq!(environment.get("A"), Some("a b"));
        assert_eq!(environment.get("B"), None);
        assert_eq!(environment.get("C"), None);
        assert_eq!(environment.first(["B", "C", "D", "A"]), Some(("D", "d")));
        assert_eq!(environment.first(["B", "E"]), None);
    }
}
