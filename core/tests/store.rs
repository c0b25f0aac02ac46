//! The store with an in-process DynamoDB.

mod support;

use dynamodb_session_core::item::codec::NewItem;
use dynamodb_session_core::store::{Found, ReplaceOutcome, Store, StoredSession};
use dynamodb_session_core::transport::CallOptions;
use dynamodb_session_core::wire::request::{Replaced, ReplacedSession, Stamp, Touch};
use serde_json::json;
use support::{ON_DEMAND, dynamodb, ready_store, store, trace};

const BODY: &str = r#"{"cookie":{},"n":1}"#;
const NOW: i64 = 1_700_000_000;

/// A touch that sets the expiry to `expires`, even if the stored one is later.
fn touch_of(id: &str, expires: i64) -> Touch<'_> {
    Touch { id, expires, now: NOW, ..Touch::default() }
}

async fn put(store: &Store, id: &str, session: &str, life: i64) -> i64 {
    let expires = NOW + life;
    let item = NewItem::new(id, session, expires);
    store.set(item, CallOptions::default(), &mut trace()).await.unwrap();
    expires
}

fn text_of(found: Found) -> String {
    match found {
        Found::Session { session, .. } => session,
        nothing => panic!("{nothing:?}"),
    }
}

#[tokio::test]
async fn a_session_is_written_read_and_destroyed() {
    let store = ready_store(json!({})).await;
    assert_eq!(store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Missing);
    let expires = put(&store, "a", BODY, 60).await;
    let found = store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap();
    assert_eq!(
        found,
        Found::Session { session: BODY.into(), expires: Some(expires as f64), created: None, token: None }
    );
    store.destroy("a", CallOptions::default(), &mut trace()).await.unwrap();
    assert_eq!(store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Missing);
    store.destroy("a", CallOptions::default(), &mut trace()).await.unwrap();
}

#[tokio::test]
async fn a_session_is_replaced_only_if_it_is_the_expected_one() {
    for format in ["json", "map"] {
        let store = ready_store(json!({ "layout": { "format": format } })).await;
        let replace = async |session: &str, stored: ReplacedSession<'_>, latest| {
            let item = NewItem::new("a", session, NOW + 60);
            let replaced = Replaced { session: stored, now: NOW, latest };
            store.replace(item, replaced, CallOptions::default(), &mut trace()).await.unwrap()
        };
        let first = ReplacedSession::Text(BODY);
        assert_eq!(replace("{}", first, None).await, ReplaceOutcome::Ended, "there is no item");
        let expires = put(&store, "a", BODY, 60).await;
        assert_eq!(replace(r#"{"n":2}"#, first, None).await, ReplaceOutcome::Written { token: None });
        let ReplaceOutcome::Changed { session, .. } = replace(r#"{"n":3}"#, first, None).await else {
            panic!("the item holds a different session");
        };
        // The value that was returned is what the next attempt compares.
        let StoredSession { text, token } = &session;
        let text = ReplacedSession::Text(text.as_deref().unwrap());
        let stored = token.as_deref().map_or(text, ReplacedSession::of_token);
        let later = replace(r#"{"n":3}"#, stored, Some(expires - 1)).await;
        assert!(
            matches!(later, ReplaceOutcome::Changed { expires: Some(stored), .. } if stored == expires as f64)
        );
        assert_eq!(
            replace(r#"{"n":3}"#, stored, Some(expires)).await,
            ReplaceOutcome::Written { token: None }
        );
        let found = store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap();
        assert_eq!(text_of(found), r#"{"n":3}"#);
        let at_the_end = Replaced { session: ReplacedSession::Any, now: expires, latest: None };
        let item = NewItem::new("a", "{}", expires + 60);
        let outcome = store.replace(item, at_the_end, CallOptions::default(), &mut trace()).await.unwrap();
        assert_eq!(outcome, ReplaceOutcome::Ended, "the item has expired");
    }
}

#[tokio::test]
async fn a_touch_does_not_revive_an_expired_session() {
    let store = ready_store(json!({})).await;
    put(&store, "dead", BODY, -1).await;
    assert_eq!(store.get("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Expired);
    let later = NOW + 100;
    assert_eq!(
        store.touch(touch_of("dead", later), CallOptions::default(), &mut trace()).await.unwrap(),
        None
    );
    assert_eq!(
        store.touch(touch_of("never", later), CallOptions::default(), &mut trace()).await.unwrap(),
        None
    );
    assert_eq!(store.get("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Expired);
    assert_eq!(store.get("never", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Missing);

    put(&store, "alive", BODY, 10).await;
    assert_eq!(
        store.touch(touch_of("alive", later), CallOptions::default(), &mut trace()).await.unwrap(),
        Some(later as f64)
    );
    let found = store.get("alive", NOW, CallOptions::default(), &mut trace()).await.unwrap();
    assert_eq!(
        found,
        Found::Session { session: BODY.into(), expires: Some(later as f64), created: None, token: None }
    );
}

#[tokio::test]
async fn a_touch_that_keeps_a_later_expiry_returns_it() {
    for format in ["json", "map"] {
        let store = ready_store(json!({ "layout": { "format": format } })).await;
        let stamp = Some(Stamp { name: "updated", value: r#"{"N":"5"}"# });
        let touch = async |id: &str, expires: i64, stamp| {
            let touch = Touch { keeps_later: true, stamp, ..touch_of(id, expires) };
            store.touch(touch, CallOptions::default(), &mut trace()).await.unwrap()
        };
        let later = put(&store, "a", BODY, 1000).await;
        for stamp in [None, stamp] {
            assert_eq!(touch("a", later - 500, stamp).await, Some(later as f64));
            assert_eq!(touch("a", later, stamp).await, Some(later as f64));
        }
        assert_eq!(touch("a", later + 1, stamp).await, Some((later + 1) as f64));
        put(&store, "dead", BODY, -1).await;
        assert_eq!(touch("dead", later, None).await, None);
        assert_eq!(touch("never", later, None).await, None);
        for expires in [json!({ "S": later.to_string() }), json!({ "S": "never" }), json!({ "BOOL": true })] {
            let item = json!({ "id": { "S": "sess:odd" }, "expires": expires, "sess": { "S": BODY } });
            let body = json!({ "TableName": "sessions", "Item": item }).to_string();
            store.request("PutItem", body, CallOptions::default(), &mut trace()).await.unwrap();
            assert_eq!(touch("odd", later, None).await, Some(later as f64), "{expires}");
        }
    }
}

#[tokio::test]
async fn an_expiry_that_is_stored_as_a_string_is_compared_as_a_number() {
    let store = ready_store(json!({})).await;
    let plant = async |id: &str, expires: String| {
        let item = json!({ "id": { "S": format!("sess:{id}") }, "expires": { "S": expires }, "sess": { "S": BODY } });
        let body = json!({ "TableName": "sessions", "Item": item }).to_string();
        store.request("PutItem", body, CallOptions::default(), &mut trace()).await.unwrap();
    };
    let later = NOW + 100;
    // As strings, nine digits sort after ten.
    for expires in ["999999999".to_owned(), NOW.to_string()] {
        plant("dead", expires).await;
        assert_eq!(
            store.get("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap(),
            Found::Expired
        );
        assert_eq!(store.length(NOW).await.unwrap(), 0);
        assert_eq!(
            store.touch(touch_of("dead", later), CallOptions::default(), &mut trace()).await.unwrap(),
            None
        );
        assert!(store.destroy_expired("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap());
    }
    for expires in [later.to_string(), format!("{later}.5"), "never".to_owned()] {
        plant("alive", expires).await;
        text_of(store.get("alive", NOW, CallOptions::default(), &mut trace()).await.unwrap());
        assert_eq!(store.length(NOW).await.unwrap(), 1);
        assert!(!store.destroy_expired("alive", NOW, CallOptions::default(), &mut trace()).await.unwrap());
        assert_eq!(
            store.touch(touch_of("alive", later), CallOptions::default(), &mut trace()).await.unwrap(),
            Some(later as f64)
        );
    }
}

#[tokio::test]
async fn a_stamp_is_set_only_in_a_session_that_is_a_map() {
    let stamp = Some(Stamp { name: "updated", value: r#"{"N":"5"}"# });
    for (format, stamped) in [("map", true), ("json", false)] {
        let store = ready_store(json!({ "layout": { "format": format } })).await;
        put(&store, "a", BODY, 10).await;
        let later = NOW + 100;
        let touch = Touch { stamp, ..touch_of("a", later) };
        assert_eq!(
            store.touch(touch, CallOptions::default(), &mut trace()).await.unwrap(),
            Some(later as f64),
            "{format}"
        );
        let Found::Session { session, expires, .. } =
            store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap()
        else {
            panic!("the session is gone")
        };
        assert_eq!((session.contains(r#""updated":5"#), expires), (stamped, Some(later as f64)), "{format}");
        let touch = Touch { stamp, ..touch_of("never", later) };
        assert_eq!(store.touch(touch, CallOptions::default(), &mut trace()).await.unwrap(), None, "{format}");
    }
}

#[tokio::test]
async fn destroy_expired_deletes_only_expired_sessions() {
    let store = ready_store(json!({})).await;
    put(&store, "dead", BODY, -1).await;
    put(&store, "alive", BODY, 60).await;
    assert!(store.destroy_expired("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap());
    for id in ["dead", "alive"] {
        assert!(!store.destroy_expired(id, NOW, CallOptions::default(), &mut trace()).await.unwrap(), "{id}");
    }
    assert_eq!(store.get("dead", NOW, CallOptions::default(), &mut trace()).await.unwrap(), Found::Missing);
    text_of(store.get("alive", NOW, CallOptions::default(), &mut trace()).await.unwrap());
}

#[tokio::test]
async fn any_other_request_is_sent_unchanged() {
    let store = ready_store(json!({})).await;
    let answer =
        store.request("ListTables", "{}".into(), CallOptions::default(), &mut trace()).await.unwrap();
    assert!(answer.contains(r#""TableNames":["sessions"]"#), "{answer}");
    let error =
        store.request("NoSuchThing", "{}".into(), CallOptions::default(), &mut trace()).await.unwrap_err();
    assert!(error.is_service("UnknownOperationException"), "{error}");
}

#[tokio::test]
async fn a_session_in_map_format_is_read_back_in_either_format() {
    let endpoint = dynamodb().await;
    let store = store(&endpoint, json!({ "layout": { "format": "map" } }));
    store.create_table(&ON_DEMAND).await.unwrap();
    let session = r#"{"a":[1,2.5,"é",true,null,{"b":{}}],"cookie":{"expires":null}}"#;
    put(&store, "a", session, 60).await;
    let text = text_of(store.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap());
    let [read, written]: [serde_json::Value; 2] =
        [&*text, session].map(|text| serde_json::from_str(text).unwrap());
    assert_eq!(read, written);

    // A store with the other format reads it too.
    let other = support::store(&endpoint, json!({}));
    text_of(other.get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap());
}

#[tokio::test]
async fn a_trace_has_capacity_units_only_if_the_call_asks_for_them() {
    let store = ready_store(json!({})).await;
    put(&store, "a", BODY, 60).await;
    let mut quiet = trace();
    store.get("a", NOW, CallOptions::default(), &mut quiet).await.unwrap();
    assert_eq!((quiet.attempts, quiet.status, quiet.capacity_units), (1, Some(200), None));
    let mut curious = trace();
    let options = CallOptions { wants_capacity: true, ..CallOptions::default() };
    store.get("a", NOW, options, &mut curious).await.unwrap();
    assert_eq!(curious.capacity_units, Some(1.0));
}

#[tokio::test]
async fn on_miss_reads_again_only_if_the_first_read_finds_nothing() {
    let store = ready_store(json!({ "consistentRead": "on-miss" })).await;
    put(&store, "a", BODY, 60).await;
    let mut hit = trace();
    text_of(store.get("a", NOW, CallOptions::default(), &mut hit).await.unwrap());
    assert_eq!(hit.attempts, 1);
    let mut miss = trace();
    assert_eq!(store.get("b", NOW, CallOptions::default(), &mut miss).await.unwrap(), Found::Missing);
    assert_eq!(miss.attempts, 2);
}

#[tokio::test]
async fn a_missing_table_is_an_error_or_is_created() {
    let endpoint = dynamodb().await;
    let error =
        store(&endpoint, json!({})).get("a", NOW, CallOptions::default(), &mut trace()).await.unwrap_err();
    assert!(error.is_missing_table(), "{error}");
    assert_eq!(error.status, Some(400));
    assert!(error.request_id.is_some());

    let new = json!({ "createTable": { "timeToLive": true, "tags": [["team", "web"]] } });
    let store = store(&endpoint, new);
    let mut traces = [trace(), trace()];
    let [a, b] = &mut traces;
    let (a, b, c) = tokio::join!(
        store.get("a", NOW, CallOptions::default(), a),
        store.get("b", NOW, CallOptions::default(), b),
        store.length(NOW)
    );
    assert_eq!((a.unwrap(), b.unwrap(), c.unwrap()), (Found::Missing, Found::Missing, 0));
    let description = store.describe_table().await.unwrap();
    assert!(description.table.contains("PAY_PER_REQUEST"), "{}", description.table);
    assert!(description.time_to_live.unwrap().contains("ENABLED"));
}

#[tokio::test]
async fn an_existing_table_is_not_modified() {
    let endpoint = dynamodb().await;
    let first = store(&endpoint, json!({}));
    let provisioned = dynamodb_session_core::config::NewTable {
        throughput: Some((7, 8)),
        time_to_live: false,
        tags: Vec::new(),
    };
    first.create_table(&provisioned).await.unwrap();
    let description = store(&endpoint, json!({})).create_table(&ON_DEMAND).await.unwrap();
    assert!(description.table.contains(r#""ReadCapacityUnits":7"#), "{}", description.table);
    assert!(description.time_to_live.unwrap().contains("DISABLED"));
}

#[tokio::test]
async fn an_existing_table_with_a_different_key_is_an_error() {
    let endpoint = dynamodb().await;
    store(&endpoint, json!({})).create_table(&ON_DEMAND).await.unwrap();
    let other = store(&endpoint, json!({ "layout": { "hashKey": "sessionId" } }));
    let error = other.create_table(&ON_DEMAND).await.unwrap_err();
    assert_eq!(error.kind.code(), "ConfigError");
    assert!(error.message.contains("is id (S), not sessionId (S). Set option hashKey to \"id\""), "{error}");
}

#[tokio::test]
async fn a_scan_returns_only_unexpired_sessions_with_the_prefix() {
    let endpoint = dynamodb().await;
    let ours = store(&endpoint, json!({}));
    ours.create_table(&ON_DEMAND).await.unwrap();
    let others = store(&endpoint, json!({ "layout": { "prefix": "other:" } }));
    for n in 0..60 {
        put(&ours, &n.to_string(), BODY, 60).await;
    }
    put(&ours, "dead", BODY, -1).await;
    put(&others, "1", BODY, 60).await;
    assert_eq!(ours.length(NOW).await.unwrap(), 60);
    let mut ids = ours.ids(NOW).await.unwrap();
    ids.sort_by_key(|id| id.parse::<u32>().unwrap());
    assert_eq!(ids[59], "59");
    assert_eq!(ours.all(NOW).await.unwrap().len(), 60);
    ours.clear().await.unwrap();
    assert_eq!(ours.length(NOW).await.unwrap(), 0);
    assert_eq!(others.ids(NOW).await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_scan_without_a_prefix_ignores_items_that_are_not_sessions() {
    let endpoint = dynamodb().await;
    let layout = json!({ "layout": { "prefix": "", "sortKey": "sk" } });
    let ours = store(&endpoint, layout.clone());
    ours.create_table(&ON_DEMAND).await.unwrap();
    let foreign = store(&endpoint, json!({ "layout": { "prefix": "", "sortKey": "sk", "session": "body" } }));
    put(&ours, "a", BODY, 60).await;
    put(&foreign, "b", BODY, 60).await;
    assert_eq!((ours.length(NOW).await.unwrap(), ours.ids(NOW).await.unwrap()), (1, vec!["a".to_owned()]));
    ours.clear().await.unwrap();
    assert_eq!((ours.length(NOW).await.unwrap(), foreign.length(NOW).await.unwrap()), (0, 1));
}

#[tokio::test]
async fn all_pages_of_a_table_are_scanned_and_cleared() {
    let store = ready_store(json!({})).await;
    let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(300_000));
    for n in 0..8 {
        put(&store, &n.to_string(), &body, 60).await;
    }
    assert_eq!(store.length(NOW).await.unwrap(), 8);
    assert_eq!(store.all(NOW).await.unwrap().len(), 8);
    store.clear().await.unwrap();
    assert_eq!(store.ids(NOW).await.unwrap(), Vec::<String>::new());
}
/// A future is copied into its task, so code that runs only once must be boxed.
#[test]
fn the_future_of_an_operation_is_small() {
    let store = Store::new(support::config("http://127.0.0.1:1", json!({})), None);
    let mut trace = trace();
    let size = size_of_val(&store.get("id", NOW, CallOptions::default(), &mut trace));
    assert!(size < 5_000, "{size} bytes");
}
