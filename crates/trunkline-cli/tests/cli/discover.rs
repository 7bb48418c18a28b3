//! `trunkline discover`.

use crate::{
    openrpc::assert_valid,
    program::{Demo, run},
    stranger,
};
use serde_json::Value;

#[test]
fn every_transport_tells_the_methods_in_columns() {
    let demo = Demo::start();
    for url in demo.urls() {
        let table = run(&["discover", url]).succeeded();
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some(concat!("trunkline demo ", env!("CARGO_PKG_VERSION"))));
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let lines: Vec<String> = lines.map(words).collect();
        for line in [
            "METHOD PARAMS RESULT",
            "add a: number, b: number number The sum of two numbers.",
            "chat.join name: string string[] Lets the caller in under a name, and says who is there.",
            "clock.now string The time by UTC, as RFC 3339 writes it.",
            "clock.ticks stream of string The time, once a second.",
            "echo …: any any The parameters, exactly as they came.",
            "sum arg1: number[] number The sum of any number of numbers.",
        ] {
            assert!(lines.iter().any(|it| it == line), "{line} is not in {table}");
        }
    }
}

#[test]
fn the_document_is_printed_as_it_came() {
    let demo = Demo::start();
    let document = run(&["discover", &demo.ws, "--format", "openrpc"]).succeeded();
    assert_eq!(document, run(&["call", &demo.ws, "rpc.discover"]).succeeded());
    assert_valid(&serde_json::from_str(&document).unwrap());
}

#[test]
fn all_methods_are_one_json_schema() {
    let demo = Demo::start();
    let schema = run(&["discover", &demo.tcp, "--format", "jsonschema"]).succeeded();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap();
    let args = jsonschema::validator_for(&schema["properties"]["add"]["properties"]["args"]).unwrap();
    assert!(args.is_valid(&serde_json::json!({"a": 1, "b": 2.5})));
    assert!(!args.is_valid(&serde_json::json!({"a": 1})));
}

#[test]
fn a_server_that_tells_nothing_is_told_of() {
    let (address, server) = stranger::answers(r#""error":{"code":-32601,"message":"Method not found"}"#);
    let told = run(&["discover", &format!("tcp://{address}")]).failed(1);
    assert!(
        told.contains("rpc.discover is unknown to it") && told.contains("Server::discoverable"),
        "{told}"
    );
    server.join().unwrap();
    let (address, server) = stranger::answers(r#""error":{"code":7,"message":"not you"}"#);
    let told = run(&["discover", &format!("tcp://{address}")]).failed(1);
    assert!(told.starts_with("error: not you\n  code: 7\n"), "{told}");
    server.join().unwrap();
}

#[test]
fn an_answer_that_is_no_document_is_not_printed_as_one() {
    for format in ["table", "openrpc", "jsonschema"] {
        let (address, server) = stranger::answers(r#""result":{"methods":"many"}"#);
        let done = run(&["discover", &format!("tcp://{address}"), "--format", format]);
        assert_eq!(done.stdout, "");
        assert!(done.failed(1).starts_with("error: what the server answers is no OpenRPC document\n"));
        server.join().unwrap();
    }
}
