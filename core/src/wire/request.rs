//! Writes the bodies of requests for one item, as text.

use crate::error::{Error, Kind, Result};
use crate::item::MAX_ITEM_SIZE;
use crate::item::codec::{self, NewItem};
use crate::item::expiry::{self, IS_EXPIRED, Seconds};
use crate::item::layout::{Format, Layout};
use crate::json::string as json_string;

/// Asks the service to return the item if the condition fails.
const RETURN_ITEM: &str = r#","ReturnValuesOnConditionCheckFailure":"ALL_OLD""#;

/// The request bodies of one table and layout.
#[derive(Debug)]
pub struct Requests {
    layout: Layout,
    /// `{"TableName":"…"`, the beginning of every body.
    opening: Vec<u8>,
}

impl Requests {
    /// The request bodies of a table.
    pub fn new(table: &str, layout: Layout) -> Self {
        let mut opening = br#"{"TableName":"#.to_vec();
        json_string::write(&mut opening, table);
        Self { layout, opening }
    }

    /// The layout of the items.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// GetItem.
    pub fn get(&self, id: &str, consistent: bool) -> Body {
        let mut body = self.keyed(id, 64);
        if consistent {
            body.push(r#","ConsistentRead":true"#);
        }
        body
    }

    /// PutItem. If the layout has an attribute for the creation time, the condition is that the item was not created earlier.
    pub fn put(&self, item: NewItem<'_>) -> Result<Body> {
        let mut body = self.put_sized(item, 0)?;
        if let Some((name, created)) = self.layout.created.as_ref().zip(item.created) {
            body.condition("NOT (#c < :created)", &[("#c", name)], &[(":created", number(created))]);
            body.push(RETURN_ITEM);
        }
        Ok(body)
    }

    /// PutItem without a condition.
    pub fn put_unconditionally(&self, item: NewItem<'_>) -> Result<Body> {
        self.put_sized(item, 0)
    }

    /// PutItem on condition that the item is what `replaced` describes and has not expired. If the condition fails, the
    /// service returns the item.
    pub fn replace(&self, item: NewItem<'_>, replaced: Replaced<'_>) -> Result<Body> {
        let Replaced { session, now, latest } = replaced;
        let (condition, length) = match session {
            ReplacedSession::Text(stored) | ReplacedSession::Value(stored) => ("#s = :stored", stored.len()),
            ReplacedSession::Header(header) => ("begins_with(#s, :stored)", header.len()),
            ReplacedSession::Any => ("attribute_exists(#s)", 0),
        };
        let mut body = self.put_sized(item, length + length / 4 + 512)?;
        body.is_conditional = true;
        body.push(r#","ConditionExpression":""#);
        body.push(condition);
        body.push(" AND NOT (");
        body.push(IS_EXPIRED);
        body.push(if latest.is_some() { r#") AND NOT (#e > :latest)""# } else { r#")""# });
        body.push(r#","ExpressionAttributeNames":{"#);
        body.members(&[("#s", &self.layout.session), ("#e", &self.layout.expires)], Body::string);
        body.push(r#"},"ExpressionAttributeValues":{"#);
        body.members(&now_values(now), |body, value| body.push(value));
        if let Some(latest) = latest {
            body.push(&format!(r#",":latest":{}"#, number(latest)));
        }
        match session {
            ReplacedSession::Text(text) => {
                body.push(r#",":stored":"#);
                codec::write_session(&self.layout, text, &mut body.json)?;
            }
            ReplacedSession::Value(value) => {
                body.push(r#",":stored":"#);
                body.push(value);
            }
            ReplacedSession::Header(header) => {
                body.push(r#",":stored":{"B":"#);
                body.string(header);
                body.push("}");
            }
            ReplacedSession::Any => {}
        }
        body.push("}");
        body.push(RETURN_ITEM);
        Ok(body)
    }

    /// PutItem, with room for `more` bytes after the item.
    fn put_sized(&self, item: NewItem<'_>, more: usize) -> Result<Body> {
        // The size of a map is not that of its JSON text. A compressed session must not inflate to more than this.
        let is_text = self.layout.format == Format::Json || item.binary.is_some();
        if is_text && item.session.len() > MAX_ITEM_SIZE {
            return Err(Error::new(
                Kind::Service("ValidationException".into()),
                format!(
                    "Item size has exceeded the maximum allowed size: the session is {} bytes, but an item can have at most {MAX_ITEM_SIZE}",
                    item.session.len()
                ),
            ));
        }
        let length = item.binary.unwrap_or(item.session.as_bytes()).len();
        let mut body = self.open(length + length / 3 + 256 + more);
        body.push(r#","Item":"#);
        item.write(&self.layout, &mut body.json)?;
        Ok(body)
    }

    /// UpdateItem that sets the expiry and, if given, the stamp. The condition is that the item exists and
    /// has not expired.
    pub fn touch(&self, touch: Touch<'_>) -> Body {
        let Touch { id, expires, now, keeps_later, earliest, created, stamp } = touch;
        let mut body = self.keyed(id, 480);
        let mut update = "SET #e = :e".to_owned();
        let mut names = vec![("#k", &*self.layout.hash_key), ("#e", &*self.layout.expires)];
        let mut values = now_values(now);
        values.push((":e", number(expires)));
        let created = self.layout.created.as_ref().zip(created);
        if let Some((name, created)) = created {
            update.push_str(", #c = if_not_exists(#c, :created)");
            names.push(("#c", name));
            values.push((":created", number(created)));
        }
        if let Some(stamp) = stamp {
            update.push_str(", #s.#stamp = :stamp");
            names.extend([("#s", &*self.layout.session), ("#stamp", stamp.name)]);
            values.push((":stamp", stamp.value.to_owned()));
        }
        body.push(&format!(r#","UpdateExpression":"{update}""#));
        let mut condition = format!("attribute_exists(#k) AND NOT ({IS_EXPIRED})");
        if keeps_later {
            condition.push_str(" AND NOT (#e > :e)");
        }
        if let Some(earliest) = earliest {
            condition.push_str(" AND NOT (#e < :earliest)");
            values.push((":earliest", number(earliest)));
        }
        if created.is_some() {
            condition.push_str(" AND NOT (#c < :created)");
        }
        body.condition(&condition, &names, &values);
        if keeps_later || earliest.is_some() || created.is_some() {
            // The item shows which part of the condition failed.
            body.push(RETURN_ITEM);
        }
        body
    }

    /// DeleteItem.
    pub fn delete(&self, id: &str) -> Body {
        self.keyed(id, 64)
    }

    /// DeleteItem on condition that the item has expired.
    pub fn delete_expired(&self, id: &str, now: Seconds) -> Body {
        let mut body = self.keyed(id, 256);
        body.condition(IS_EXPIRED, &[("#e", &self.layout.expires)], &now_values(now));
        body
    }

    /// DeleteItem on condition that the user attribute has this value.
    pub fn delete_of_user(&self, id: &str, attribute: &str, user: &str) -> Body {
        let mut body = self.keyed(id, 256);
        body.condition("#u = :u", &[("#u", attribute)], &[(":u", codec::string_value(user))]);
        body
    }

    fn open(&self, capacity: usize) -> Body {
        let mut body = Vec::with_capacity(self.opening.len() + capacity);
        body.extend_from_slice(&self.opening);
        Body { json: body, is_conditional: false }
    }

    fn keyed(&self, id: &str, capacity: usize) -> Body {
        let mut body = self.open(2 * (self.layout.prefix.len() + id.len()) + capacity);
        body.push(r#","Key":{"#);
        codec::write_key(&self.layout, id, &mut body.json);
        body.push("}");
        body
    }
}

/// The item that `replace` replaces.
#[derive(Clone, Copy, Debug)]
pub struct Replaced<'a> {
    /// The session that the item must hold.
    pub session: ReplacedSession<'a>,
    /// The time of the call.
    pub now: Seconds,
    /// If given, an item that expires later than this is not replaced.
    pub latest: Option<Seconds>,
}

/// The session that an item must hold to be replaced.
#[derive(Clone, Copy, Debug)]
pub enum ReplacedSession<'a> {
    /// JSON text, stored in the format of the layout.
    Text(&'a str),
    /// An attribute value as JSON.
    Value(&'a str),
    /// The binary form that starts with this header, which is in base64.
    Header(&'a str),
    /// Any session.
    Any,
}

impl<'a> ReplacedSession<'a> {
    /// The session that a token stands for; see [`StoredSession`](crate::store::StoredSession). An empty one stands for any.
    pub fn of_token(token: &'a str) -> Self {
        match token.as_bytes() {
            [] => Self::Any,
            [b'{', ..] => Self::Value(token),
            _ => Self::Header(token),
        }
    }
}

/// What `touch` writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Touch<'a> {
    /// The session ID.
    pub id: &'a str,
    /// The new expiry.
    pub expires: Seconds,
    /// The time of the call.
    pub now: Seconds,
    /// Whether an item with a later expiry stays unchanged.
    pub keeps_later: bool,
    /// If given, an item that expires earlier than this stays unchanged.
    pub earliest: Option<Seconds>,
    /// The creation time of a session that has none, if the layout has an attribute for it. An item that was created earlier
    /// stays unchanged.
    pub created: Option<Seconds>,
    /// A field of the session to set.
    pub stamp: Option<Stamp<'a>>,
}

/// A field of the session that a touch sets.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// The name of the field.
    pub name: &'a str,
    /// An attribute value as JSON.
    pub value: &'a str,
}

fn now_values(now: Seconds) -> Vec<(&'static str, String)> {
    expiry::condition_values(now)
        .into_iter()
        .map(|(name, kind, text)| (name, format!(r#"{{"{kind}":"{text}"}}"#)))
        .collect()
}

fn number(seconds: Seconds) -> String {
    format!(r#"{{"N":"{seconds}"}}"#)
}

/// A request body without its closing brace.
#[derive(Debug)]
pub struct Body {
    json: Vec<u8>,
    /// Whether the request has a condition.
    pub is_conditional: bool,
}

impl Body {
    /// Completes the body. If `wants_capacity` is set, the request asks for the capacity units that it consumes.
    pub fn finish(mut self, wants_capacity: bool) -> Vec<u8> {
        if wants_capacity {
            self.push(r#","ReturnConsumedCapacity":"TOTAL""#);
        }
        self.push("}");
        self.json
    }

    fn push(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn string(&mut self, text: &str) {
        json_string::write(&mut self.json, text);
    }

    /// Writes the condition, and the names and values of all expressions of the request.
    fn condition(&mut self, condition: &str, names: &[(&str, &str)], values: &[(&str, String)]) {
        self.is_conditional = true;
        self.push(r#","ConditionExpression":"#);
        self.string(condition);
        self.push(r#","ExpressionAttributeNames":{"#);
        self.members(names, Self::string);
        self.push(r#"},"ExpressionAttributeValues":{"#);
        self.members(values, |body, value| body.push(value));
        self.push("}");
    }

    /// Writes the members of an object. `write` writes a value.
    fn members(&mut self, members: &[(&str, impl AsRef<str>)], write: impl Fn(&mut Self, &str)) {
        for (i, (name, value)) in members.iter().enumerate() {
            self.push(if i == 0 { "" } else { "," });
            self.string(name);
            self.push(":");
            write(self, value.as_ref());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn requests(format: Format) -> Requests {
        Requests::new("a \"table\"", Layout::sample(format))
    }

    fn json(body: Vec<u8>) -> Value {
        serde_json::from_slice(&body).unwrap()
    }

    const ITEM: NewItem<'_> = NewItem::new("1", r#"{"a":1}"#, 7);

    #[test]
    fn put_writes_the_item_and_asks_for_capacity() {
        let item = json!({
            "id": { "S": "sess:1" },
            "expires": { "N": "7" },
            "type": { "S": "connect-session" },
            "sess": { "S": "{\"a\":1}" },
        });
        let put = |capacity| json(requests(Format::Json).put(ITEM).unwrap().finish(capacity));
        assert_eq!(put(false), json!({ "TableName": "a \"table\"", "Item": item }));
        assert_eq!(put(true)["ReturnConsumedCapacity"], "TOTAL");
    }

    #[test]
    fn a_sort_key_has_the_value_of_the_partition_key() {
        let layout = Layout { sort_key: Some("sk".into()), ..Layout::sample(Format::Json) };
        let body = json(Requests::new("t", layout).delete("k").finish(false));
        assert_eq!(body["Key"], json!({ "id": { "S": "sess:k" }, "sk": { "S": "sess:k" } }));
    }

    #[test]
    fn get_touch_and_delete_expired_write_complete_bodies() {
        let requests = requests(Format::Json);
        assert_eq!(json(requests.get("k", true).finish(false))["ConsistentRead"], true);
        assert_eq!(json(requests.get("k", false).finish(false)).get("ConsistentRead"), None);
        let touch = Touch { id: "k", expires: 20, now: 10, ..Touch::default() };
        let stamp = Stamp { name: "updated", value: r#"{"N":"5"}"# };
        let (stamped, later) = (Touch { stamp: Some(stamp), ..touch }, Touch { keeps_later: true, ..touch });
        let (earliest, plain) = (Touch { earliest: Some(15), ..touch }, touch);
        let touch = json(requests.touch(touch).finish(true));
        assert_eq!(touch["ExpressionAttributeNames"], json!({ "#k": "id", "#e": "expires" }));
        assert_eq!(touch["ExpressionAttributeValues"][":e"], json!({ "N": "20" }));
        assert_eq!(touch["ExpressionAttributeValues"][":text"], json!({ "S": "10" }));
        assert_eq!(touch["UpdateExpression"], "SET #e = :e");
        assert_eq!(touch.get("ReturnValuesOnConditionCheckFailure"), None);
        let later = json(requests.touch(later).finish(false));
        assert_eq!(
            later["ConditionExpression"],
            format!("{} AND NOT (#e > :e)", touch["ConditionExpression"].as_str().unwrap())
        );
        assert_eq!(later["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        let not_earlier = json(requests.touch(earliest).finish(false));
        assert_eq!(
            not_earlier["ConditionExpression"],
            format!("{} AND NOT (#e < :earliest)", touch["ConditionExpression"].as_str().unwrap())
        );
        assert_eq!(not_earlier["ExpressionAttributeValues"][":earliest"], json!({ "N": "15" }));
        assert_eq!(not_earlier["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        let touch = json(requests.touch(stamped).finish(false));
        assert_eq!(touch["UpdateExpression"], "SET #e = :e, #s.#stamp = :stamp");
        assert_eq!(touch["ExpressionAttributeNames"]["#stamp"], "updated");
        assert_eq!(touch["ExpressionAttributeValues"][":stamp"], json!({ "N": "5" }));
        let layout = Layout { created: Some("created".into()), ..Layout::sample(Format::Map) };
        let touch =
            Requests::new("t", layout).touch(Touch { created: Some(10), stamp: Some(stamp), ..plain });
        let touch = json(touch.finish(false));
        let update = "SET #e = :e, #c = if_not_exists(#c, :created), #s.#stamp = :stamp";
        assert_eq!(touch["UpdateExpression"], update);
        assert_eq!(touch["ExpressionAttributeNames"]["#c"], "created");
        assert_eq!(touch["ExpressionAttributeValues"][":created"], json!({ "N": "10" }));
        assert!(touch["ConditionExpression"].as_str().unwrap().ends_with(" AND NOT (#c < :created)"));
        assert_eq!(touch["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");

        let delete = json(requests.delete_expired("k", 10).finish(false));
        assert_eq!(delete["ConditionExpression"], IS_EXPIRED);
        assert_eq!(delete["ExpressionAttributeNames"], json!({ "#e": "expires" }));
    }

    #[test]
    fn replace_compares_the_stored_session_in_the_format_of_the_layout() {
        let replace = |format, session, latest| {
            let replaced = Replaced { session, now: 10, latest };
            json(requests(format).replace(ITEM, replaced).unwrap().finish(false))
        };
        let text = replace(Format::Json, ReplacedSession::Text("{}"), None);
        assert_eq!(text["Item"]["sess"], json!({ "S": "{\"a\":1}" }));
        assert_eq!(text["ConditionExpression"], format!("#s = :stored AND NOT ({IS_EXPIRED})"));
        assert_eq!(text["ExpressionAttributeNames"], json!({ "#s": "sess", "#e": "expires" }));
        assert_eq!(text["ExpressionAttributeValues"][":stored"], json!({ "S": "{}" }));
        assert_eq!(text["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        let map = replace(Format::Map, ReplacedSession::Text(r#"{"n":2}"#), Some(20));
        assert_eq!(map["ExpressionAttributeValues"][":stored"], json!({ "M": { "n": { "N": "2" } } }));
        assert_eq!(map["ExpressionAttributeValues"][":latest"], json!({ "N": "20" }));
        assert!(map["ConditionExpression"].as_str().unwrap().ends_with(" AND NOT (#e > :latest)"));
        let value = replace(Format::Json, ReplacedSession::Value(r#"{"B":"AA=="}"#), None);
        assert_eq!(value["ExpressionAttributeValues"][":stored"], json!({ "B": "AA==" }));
        let header = replace(Format::Json, ReplacedSession::Header("AQE="), None);
        assert_eq!(header["ConditionExpression"], format!("begins_with(#s, :stored) AND NOT ({IS_EXPIRED})"));
        assert_eq!(header["ExpressionAttributeValues"][":stored"], json!({ "B": "AQE=" }));
        let any = replace(Format::Map, ReplacedSession::Any, None);
        assert_eq!(any["ConditionExpression"], format!("attribute_exists(#s) AND NOT ({IS_EXPIRED})"));
        assert_eq!(any["ExpressionAttributeValues"].get(":stored"), None);
    }

    #[test]
    fn a_session_larger_than_an_item_is_an_error() {
        let session = format!("\"{}\"", "x".repeat(MAX_ITEM_SIZE));
        for (format, binary) in
            [(Format::Json, None), (Format::Json, Some(&[1][..])), (Format::Map, Some(&[1]))]
        {
            let error = requests(format).put(NewItem { session: &session, binary, ..ITEM }).unwrap_err();
            assert!(error.is_service("ValidationException"));
            assert!(error.message.contains("409602 bytes"), "{error}");
        }
    }
}
