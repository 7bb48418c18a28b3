//! `trunkline call`.

use crate::{
    program::{Demo, run, run_with},
    stranger,
};
use std::path::PathBuf;

#[test]
fn a_result_is_one_line_on_every_transport() {
    let demo = Demo::start();
    for url in demo.urls() {
        assert_eq!(run(&["call", url, "add", "[2, 3]"]).succeeded(), "5\n");
        assert_eq!(run(&["call", url, "divide", r#"{"b": 4, "a": 1}"#]).succeeded(), "0.25\n");
        assert_eq!(run(&["call", url, "chat.members"]).succeeded(), "[]\n");
    }
}

#[test]
fn parameters_and_results_keep_their_spelling() {
    let demo = Demo::start();
    let spelled = r#"{"n":12345678901234567890123,"x":1.50,"t":"ü \u00e9"}"#;
    assert_eq!(run(&["call", &demo.ws, "echo", spelled]).succeeded(), format!("{spelled}\n"));
    assert_eq!(run(&["call", &demo.tcp, "echo", "-5"]).succeeded(), "[-5]\n");
    assert_eq!(run_with(&["call", &demo.http, "echo", "-"], "[1,\n 2]\n").succeeded(), "[1,2]\n");
}

#[test]
fn a_fault_is_told_with_code_and_data() {
    let demo = Demo::start();
    for url in demo.urls() {
        let told = run(&["call", url, "divide", "[7, 0]"]).failed(1);
        assert_eq!(told, "error: division by zero\n  code: 1001\n  data: {\"dividend\":7}\n");
    }
    let told = run(&["call", &demo.tcp, "no.such"]).failed(1);
    assert!(
        told.starts_with("error: Method not found\n  code: -32601\n") && told.contains("trunkline discover"),
        "{told}"
    );
    let told = run(&["call", &demo.http, "chat.join", "Ada"]).failed(2);
    assert!(told.contains("not JSON"), "{told}");
    let told = run(&["call", &demo.http, "chat.join", r#""Ada""#]).failed(1);
    assert!(told.contains("use a WebSocket"), "{told}");
}

#[test]
fn what_makes_no_sense_is_not_sent() {
    for args in [
        &["call", "localhost:9876", "add"][..],
        &["call", "tcp://127.0.0.1:1", "add", "[1,"],
        &["call", "tcp://127.0.0.1:1", "add", "--header", "a: b"],
        &["call", "http://127.0.0.1:1", "add", "--header", "a b: c"],
        &["call", "tcp://127.0.0.1:1", "--batch", "/no/such/file"],
        &["call", "tcp://127.0.0.1:1"],
        &["call", "tcp://127.0.0.1:1", "add", "--batch", "-"],
        &["call", "--broker", "memory:"],
        &["call", "--broker", "memory:", "add", "[1]", "more"],
        &["call", "--broker", "memory:", "add", "--header", "a: b"],
    ] {
        run(args).failed(2);
    }
}

#[test]
fn a_broker_can_be_called_as_a_server_can() {
    // nobody else is on this one
    for args in [
        &["call", "--broker", "memory:", "users.get", "-5"][..],
        &["call", "users.get", "--broker", "memory:"],
    ] {
        let told = run(args).failed(1);
        assert!(told.starts_with("error: Method not found\n  code: -32601\n"), "{told}");
    }
    let told = run(&["call", "--broker", "kafka://me:hunter2@host", "users.get"]).failed(2);
    assert!(told.contains("`kafka://`") && !told.contains("hunter2"), "{told}");
}

#[test]
fn nobody_there_is_no_connection() {
    let nobody = stranger::nobody();
    for scheme in ["tcp", "ws", "http"] {
        let told = run(&["call", &format!("{scheme}://{nobody}"), "add"]).failed(3);
        assert!(told.starts_with("error: ") && told.contains("refused"), "{told}");
    }
    let told = run(&["call", "stdio:/no/such/program", "add"]).failed(3);
    assert!(told.contains("/no/such/program"), "{told}");
}

/// With the client libraries of each.
#[test]
fn a_broker_that_is_not_there_is_no_connection() {
    let nobody = stranger::nobody();
    for scheme in ["amqp", "nats"] {
        let url = format!("{scheme}://me:hunter2@{nobody}");
        let told = run(&["call", "--broker", &url, "add", "--timeout", "500ms"]).failed(3);
        assert!(told.contains("cannot be reached within") && told.contains(&nobody.to_string()), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn no_answer_in_time_is_a_deadline() {
    let (address, server) = stranger::silent();
    let told = run(&["call", &format!("tcp://{address}"), "wait", "--timeout", "200ms"]).failed(4);
    assert!(told.contains("--timeout"), "{told}");
    let heard = server.join().unwrap();
    assert!(heard[0].contains(r#""method":"wait""#), "{heard:?}");
}

#[test]
fn a_notification_is_sent_and_nothing_awaited() {
    let (address, server) = stranger::silent();
    let url = format!("tcp://{address}");
    assert_eq!(run(&["call", &url, "log", "[\"added\"]", "--notify"]).succeeded(), "");
    assert_eq!(server.join().unwrap(), [r#"{"jsonrpc":"2.0","method":"log","params":["added"]}"#]);
    let demo = Demo::start();
    for url in demo.urls() {
        assert_eq!(run(&["call", url, "echo", "--notify"]).succeeded(), "");
    }
}

#[test]
fn headers_are_sent_over_http_and_websocket() {
    for scheme in ["http", "ws"] {
        let (address, server) = stranger::http("401 Unauthorized");
        let url = format!("{scheme}://{address}");
        let done = run(&["call", &url, "add", "-H", "X-One: 1", "--header", "X-Two: two words"]);
        let told = done.stderr.clone();
        assert!(matches!(done.code, Some(1 | 3)) && told.contains("401"), "{done:?}");
        let head = server.join().unwrap().to_ascii_lowercase();
        assert!(head.contains("\r\nx-one: 1\r\n") && head.contains("\r\nx-two: two words\r\n"), "{head}");
    }
}

#[test]
fn a_batch_tells_what_came_of_each_call() {
    let demo = Demo::start();
    let lines = r#"
        {"method": "add", "params": [2, 3]}
        {"method": "echo", "params": ["unheard"], "notify": true}
        {"method": "divide", "params": {"a": 7, "b": 0}}
        {"method": "echo", "params": "one"}
    "#;
    let outcomes = concat!(
        r#"{"method":"add","result":5}"#,
        "\n",
        r#"{"method":"divide","error":{"code":1001,"message":"division by zero","data":{"dividend":7}}}"#,
        "\n",
        r#"{"method":"echo","result":["one"]}"#,
        "\n"
    );
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("batch.json");
    std::fs::write(&file, format!("[{}]", lines.trim().replace("}\n", "},"))).unwrap();
    for url in demo.urls() {
        for done in [
            run_with(&["call", url, "--batch", "-"], lines),
            run(&["call", url, "--batch", file.to_str().unwrap()]),
        ] {
            assert_eq!(done.stdout, outcomes, "{done:?}");
            assert_eq!(done.failed(1), "error: 1 of 3 calls failed\n");
        }
    }
    let fine = r#"{"method": "sum", "params": [1, 2, 3]}"#;
    let outcome = "{\"method\":\"sum\",\"result\":6}\n";
    assert_eq!(run_with(&["call", &demo.ws, "--batch", "-"], fine).succeeded(), outcome);
    run_with(&["call", &demo.ws, "--batch", "-"], "[]").failed(2);
    let too_many = format!("{}\n", fine).repeat(1025);
    let told = run_with(&["call", &demo.ws, "--batch", "-"], &too_many).failed(2);
    assert!(told.contains("1025 calls") && told.contains("smaller batches"), "{told}");
}

#[test]
fn a_child_process_can_be_called() {
    let script = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("seven.sh");
    let seven = r#"
        read -r line
        id=$(printf %s "$line" | sed 's/.*"id":\([^,}]*\).*/\1/')
        printf '{"jsonrpc":"2.0","id":%s,"result":7}\n' "$id"
        cat >/dev/null
    "#;
    std::fs::write(&script, seven).unwrap();
    let url = format!("stdio:sh '{}'", script.display());
    assert_eq!(run(&["call", &url, "seven"]).succeeded(), "7\n");
}
