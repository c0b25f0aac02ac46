//! Reads the shared AWS config and credentials files, with the rules of the AWS SDK for JavaScript.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::files;

pub(crate) const DEFAULT: &str = "default";

/// Properties by name. Properties nested in `s3 =` have the name `s3.…`.
pub(crate) type Section = BTreeMap<String, String>;
type Sections = BTreeMap<String, Section>;

/// The profiles of both files, and the one that is in use.
#[derive(Debug)]
pub(crate) struct Profiles {
    pub selected: String,
    config: ProfileFile,
    credentials: ProfileFile,
}

/// One of the files. A file that is missing has no sections.
#[derive(Debug, Default)]
struct ProfileFile {
    path: PathBuf,
    sections: Sections,
    /// The problem with the file, to be appended to an error message.
    problem: Option<String>,
}

impl Profiles {
    /// Reads the files. A file that cannot be read is an error only if something in it is needed.
    pub(crate) async fn load(environment: &Environment, profile: Option<&str>) -> Self {
        let path_in = |variable, default| path_of(environment, variable, default);
        let (config, credentials) = tokio::join!(
            ProfileFile::load(path_in("AWS_CONFIG_FILE", ".aws/config")),
            ProfileFile::load(path_in("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")),
        );
        let selected = profile.or_else(|| environment.get("AWS_PROFILE")).unwrap_or(DEFAULT).to_owned();
        Self { selected, config: config.only_prefixed_profiles(), credentials }
    }

    /// A property of the selected profile, other than its credentials. The config file takes precedence.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        let [config, credentials] = self.sections_of(&self.selected);
        config.and_then(|section| section.get(name)).or_else(|| credentials?.get(name)).map(String::as_str)
    }

    /// A property of the selected profile for one service, from the `[services]` section that the profile names.
    pub(crate) fn service_property(&self, service: &str, name: &str) -> Option<&str> {
        let services = self.config.sections.get(&format!("services.{}", self.property("services")?))?;
        services.get(&format!("{service}.{name}")).map(String::as_str)
    }

    /// All properties of a profile. The credentials file takes precedence.
    pub(crate) fn profile(&self, name: &str) -> Option<Section> {
        let merged: Vec<_> = self.sections_of(name).into_iter().flatten().collect();
        (!merged.is_empty()).then(|| merged.into_iter().flat_map(Section::clone).collect())
    }

    pub(crate) fn sso_session(&self, name: &str) -> Option<&Section> {
        self.config.sections.get(&format!("sso-session.{name}"))
    }

    /// The profile and the files, for error messages: `profile "p" of /home/ann/.aws/config and /home/ann/.aws/credentials`.
    pub(crate) fn place(&self) -> String {
        format!("profile {:?} of {}", self.selected, self.paths())
    }

    pub(crate) fn paths(&self) -> String {
        format!("{} and {}", self.config.path.display(), self.credentials.path.display())
    }

    /// Writes the `[services]` sections in the form of the file.
    pub(crate) fn render_services(&self, text: &mut String) {
        for (name, section) in &self.config.sections {
            if !name.starts_with("services.") {
                continue;
            }
            let _ = writeln!(text, "[{}]", name.replacen('.', " ", 1));
            let mut group = "";
            for (property, value) in section {
                if let Some((next, property)) = property.split_once('.') {
                    if next != group {
                        let _ = writeln!(text, "{next} =");
                        group = next;
                    }
                    let _ = writeln!(text, "  {property} = {value}");
                }
            }
        }
    }

    /// Why the selected profile cannot be used, to be appended to an error message: it does not exist, or a file has invalid
    /// lines.
    pub(crate) fn problems(&self) -> Option<String> {
        let mut problems = String::new();
        if self.selected != DEFAULT && self.sections_of(&self.selected) == [None, None] {
            let _ = write!(problems, "; profile {:?} does not exist in {}", self.selected, self.paths());
        }
        for file in [&self.config, &self.credentials] {
            if let Some(problem) = &file.problem {
                let _ = write!(problems, "; {}{problem}", file.path.display());
            }
        }
        (!problems.is_empty()).then_some(problems)
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.sections_of(&self.selected) == [None, None]
    }

    fn sections_of(&self, profile: &str) -> [Option<&Section>; 2] {
        [&self.config, &self.credentials].map(|file| file.sections.get(profile))
    }
}

/// The path of a file: from its environment variable, or in the home folder.
fn path_of(environment: &Environment, variable: &str, default: &str) -> PathBuf {
    let home = environment.get("HOME").unwrap_or_default();
    match environment.get(variable) {
        Some(path) => path.strip_prefix("~/").map_or_else(|| path.into(), |rest| Path::new(home).join(rest)),
        None => Path::new(home).join(default),
    }
}

impl ProfileFile {
    async fn load(path: PathBuf) -> Self {
        match files::read(&path).await {
            Ok(bytes) => {
                let (sections, ignored) = parse(&String::from_utf8_lossy(&bytes));
                let problem = ignored.map(|(line, reason)| format!(", line {line}, was ignored: {reason}"));
                Self { path, sections, problem }
            }
            Err(error) => {
                let is_missing = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
                let problem = (!is_missing).then(|| format!(" cannot be read: {error}"));
                Self { path, problem, ..Self::default() }
            }
        }
    }

    /// In the config file, the sections of profiles are named `[profile …]`, except for `[default]`.
    fn only_prefixed_profiles(mut self) -> Self {
        let (mut sections, mut default) = (Sections::new(), None);
        for (name, section) in std::mem::take(&mut self.sections) {
            if let Some(profile) = name.strip_prefix("profile.") {
                sections.insert(profile.to_owned(), section);
            } else if name == DEFAULT {
                default = Some(section);
            } else if name.starts_with("sso-session.") || name.starts_with("services.") {
                sections.insert(name, section);
            }
        }
        if let Some(default) = default {
            sections.entry(DEFAULT.into()).or_insert(default);
        }
        Self { sections, ..self }
    }
}

/// Returns the sections of a file, and the first line that was ignored, with the reason. A section with a prefix has the name
/// `prefix.name`.
///
/// This accepts what `parseIni` of the AWS SDK for JavaScript accepts: a byte order mark, indented properties, lines
/// without `=`, and properties before the first section.
fn parse(text: &str) -> (Sections, Option<(usize, &'static str)>) {
    let mut sections = Sections::new();
    let mut ignored = None;
    let mut current: Option<String> = None;
    let mut group: Option<String> = None;
    let mut is_skipping = false;
    for (index, line) in text.split('\n').enumerate() {
        let content = trim(without_comment(line));
        if content.is_empty() {
            continue;
        }
        let mut ignore = |reason| _ = ignored.get_or_insert((index + 1, reason));
        if let Some(name) = content.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            (current, group) = (section_name(name), None);
            is_skipping = current.is_none();
            if let Some(name) = &current {
                sections.entry(name.clone()).or_default();
            }
            continue;
        }
        let property = content.split_once('=').map(|(name, value)| (trim(name), trim(value)));
        match (&current, property) {
            (None, Some(_)) if is_skipping => {}
            _ if content.starts_with('[') => ignore("the section has no closing bracket"),
            (_, None) => ignore("it is not a section, a name=value line, or a comment"),
            (_, Some(("", _))) => ignore("the property has no name"),
            (None, Some(_)) => ignore("the property comes before the first section"),
            (Some(_), Some((name, ""))) => group = Some(name.to_ascii_lowercase()),
            (Some(section), Some((name, value))) => {
                if !line.starts_with(is_white) {
                    group = None;
                }
                let name = name.to_ascii_lowercase();
                let name = group.as_ref().map_or_else(|| name.clone(), |group| format!("{group}.{name}"));
                sections.entry(section.clone()).or_default().insert(name, value.to_owned());
            }
        }
    }
    (sections, ignored)
}

/// Converts `profile name` to `profile.name`, for example. Returns None for a section of an unknown kind.
fn section_name(name: &str) -> Option<String> {
    const KINDS: [&str; 3] = ["profile", "sso-session", "services"];
    let is_word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let is_name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-@+.%:/".contains(c))
    };
    let parts = name.split_once(is_white).and_then(|(prefix, rest)| {
        let rest = trim(rest);
        let unquoted = ['"', '\''].iter().find_map(|quote| rest.strip_prefix(*quote)?.strip_suffix(*quote));
        let rest = unquoted.unwrap_or(rest);
        (is_word(prefix) && is_name(rest)).then_some((prefix, rest))
    });
    match parts {
        Some((prefix, rest)) => KINDS.contains(&prefix).then(|| format!("{prefix}.{rest}")),
        None => Some(name.to_owned()),
    }
}

/// The line up to a `#` or `;` at its start or after white space.
fn without_comment(line: &str) -> &str {
    let mut follows_white = true;
    for (index, character) in line.char_indices() {
        if follows_white && matches!(character, '#' | ';') {
            return &line[..index];
        }
        follows_white = is_white(character);
    }
    line
}

fn trim(text: &str) -> &str {
    text.trim_matches(is_white)
}

/// White space as in JavaScript, which includes the byte order mark.
fn is_white(character: char) -> bool {
    character == '\u{feff}' || character.is_whitespace() && character != '\u{85}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, Vec<(String, String)>)> {
        parse(text).0.into_iter().map(|(name, section)| (name, section.into_iter().collect())).collect()
    }

    #[test]
    fn files_are_parsed_as_in_the_sdk_for_javascript() {
        let expected = vec![("default".to_owned(), vec![("region".to_owned(), "r".to_owned())])];
        for text in [
            "[default]\nregion = r",
            "\u{feff}[default]\r\nregion = r\r\n",
            "[default]\n  region = r",
            "[default]\n\tregion=r # a comment",
            "[default]\nnonsense\nregion = r",
            "region = first\n[default]\nregion = r",
            "# a comment\n; another\n\n  [default]  ; a comment\nregion = r",
            "[default]\nREGION = r",
            "[default]\nregion = q\n[default]\nregion = r",
            "[default]\n= x\nregion = r",
        ] {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn sections_and_nested_properties_have_paths_as_names() {
        let (sections, ignored) = parse(
            "[profile a]\ns3 =\n  endpoint_url = x\nregion = r#1\n[services \"b\"]\ndynamodb = \n endpoint_url = y\n\
             [unknown c]\nd = e\n[f]\ng = h\n",
        );
        assert_eq!(ignored, None);
        let get = |section: &str, name: &str| sections[section].get(name).map(String::as_str);
        assert_eq!(get("profile.a", "s3.endpoint_url"), Some("x"));
        assert_eq!(get("profile.a", "region"), Some("r#1"));
        assert_eq!(get("services.b", "dynamodb.endpoint_url"), Some("y"));
        assert_eq!(sections.keys().collect::<Vec<_>>(), ["f", "profile.a", "services.b"]);
    }

    #[test]
    fn the_first_ignored_line_is_reported() {
        let line = |text| parse(text).1.map(|(line, _)| line);
        assert_eq!(line("[default]\nregion = r\n\noops\n[broken\na = b"), Some(4));
        assert_eq!(line("[default\nregion = r"), Some(1));
        assert_eq!(line("region = r\n[default]"), Some(1));
        assert_eq!(line("[default]\na = b\n"), None);
    }
}
