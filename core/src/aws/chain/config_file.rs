//! Writes the config file that `aws-config` reads, in a form that it accepts.

use std::fmt::Write;

use aws_credential_types::Credentials;

use super::method::{Base, KEY_ID, Method, SECRET, TOKEN};
use crate::aws::profile::Profiles;

/// Writes the profiles that `method` uses. If a profile has several methods, only the one in use remains. The base gets
/// `keys`.
pub(super) fn render(method: &Method, profiles: &Profiles, keys: Option<&Credentials>) -> String {
    let Method { chain, base } = method;
    let mut text = String::new();
    for (index, (name, section)) in chain.iter().enumerate() {
        let _ = writeln!(text, "[profile {}]", identifier(name));
        let is_base = index + 1 == chain.len();
        let replaced = is_base && keys.is_some();
        let has_session = section.get("sso_session").is_some_and(|name| profiles.sso_session(name).is_some());
        for (property, value) in section {
            let is_left_out = match property.as_str() {
                property if property.contains('.') => true,
                "credential_process" => true,
                "web_identity_token_file" => !matches!(base, Base::WebIdentity(_)),
                "credential_source" => replaced || !matches!(base, Base::Named(_)),
                "sso_region" | "sso_start_url" if has_session => true,
                property if property.starts_with("sso_") => !is_base || !matches!(base, Base::Sso(_)),
                KEY_ID | SECRET | TOKEN => replaced || !matches!(base, Base::Keys),
                _ => false,
            };
            if is_left_out {
                continue;
            }
            let value = if property == "source_profile" { identifier(value) } else { value.clone() };
            let _ = writeln!(text, "{property} = {value}");
        }
        if let Some(keys) = keys.filter(|_| is_base) {
            let _ = writeln!(
                text,
                "{KEY_ID} = {}\n{SECRET} = {}",
                keys.access_key_id(),
                keys.secret_access_key()
            );
            if let Some(token) = keys.session_token() {
                let _ = writeln!(text, "{TOKEN} = {token}");
            }
            // A role whose credentials come from here names its own profile as the source.
            if section.contains_key("role_arn") && section.contains_key("credential_source") {
                let _ = writeln!(text, "source_profile = {}", identifier(name));
            }
        }
    }
    if let Some((name, section)) = chain.last().and_then(|(_, section)| {
        let name = section.get("sso_session")?;
        Some((name, profiles.sso_session(name)?))
    }) {
        let _ = writeln!(text, "[sso-session {name}]");
        for (property, value) in section {
            let _ = writeln!(text, "{property} = {value}");
        }
    }
    profiles.render_services(&mut text);
    text
}

/// The name of a profile, with only the characters that `aws-config` allows.
pub(super) fn identifier(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric() && !"_-/.%@:+".contains(c), "_")
}
