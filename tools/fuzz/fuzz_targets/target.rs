#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match env!("CARGO_BIN_NAME") {
        "item" => dynamodb_session_fuzz::item(input),
        "options" => dynamodb_session_fuzz::options(input),
        "response" => dynamodb_session_fuzz::response(input),
        "stored" => dynamodb_session_fuzz::stored(input),
        name => unreachable!("{name} is not a fuzz target"),
    }
});
