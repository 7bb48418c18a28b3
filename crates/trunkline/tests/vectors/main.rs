//! The vectors in `tests/vectors/jsonrpc`, played against the demo service:
//! one module a file, each with the number of its vectors.
//!
//! In process, links run over memory on a clock that stands still while anybody
//! has something to do. So "no reply comes" is a fact and not a guess, and no
//! test waits. Over TCP, a follow-up request and the end of the stream show that
//! nothing more was due. `parse.json` is played by the tests of the dialect.

mod carrier;
mod compare;
mod contact;
#[path = "../../examples/interop/demo.rs"]
mod demo;
mod grammar;
mod hostile;
mod http;
mod http_client;
mod load;
mod lsp;
mod mux;
mod ndjson;
mod reply;
mod rpc_websockets;
mod session;
mod sockets;
mod spec;
mod tally;
mod therms;
mod wire;
mod ws_rpc_messaging;

#[test]
fn every_file_is_played_somewhere() {
    let mut files: Vec<String> = std::fs::read_dir(load::DIRECTORY)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    files.sort();
    let played = [
        "grammar.json",
        "hostile.json",
        "http.json",
        "lsp.json",
        "mux.json",
        "ndjson.json",
        "parse.json", // trunkline-dialects/src/jsonrpc/tests/parse.rs
        "rpc-websockets.json",
        "spec.json",
        "ws-rpc-messaging.json",
    ];
    assert_eq!(files, played, "a new file needs a module here");
}
