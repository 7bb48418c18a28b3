//! `trunkline listen`.

use crate::{
    program::{Demo, Running, run},
    stranger,
};

#[test]
fn what_others_say_in_the_room_is_printed() {
    let demo = Demo::start();
    let mut grace = Running::start(&["listen", &demo.tcp, "chat.join", r#""Grace""#]);
    assert_eq!(grace.stderr.next(), "connected");
    assert_eq!(grace.stderr.next(), r#"chat.join: ["Grace"]"#);
    let mut ada = Running::start(&["listen", &demo.ws, "chat.join", r#"{"name": "Ada"}"#]);
    assert_eq!(ada.stderr.find("chat.join"), r#"chat.join: ["Ada","Grace"]"#);
    assert_eq!(grace.stdout.next(), r#"{"method":"chat.joined","params":{"name":"Ada"}}"#);

    // each line of `call --batch` is of one connection: it joins, says, and leaves by hanging up
    let speaker =
        r#"{"method":"chat.join","params":["Mary"]} {"method":"chat.say","params":{"text":"hello"}}"#;
    let said = crate::program::run_with(&["call", &demo.ws, "--batch", "-"], speaker).succeeded();
    assert!(said.ends_with("{\"method\":\"chat.say\",\"result\":2}\n"), "{said}");
    for listener in [&mut ada, &mut grace] {
        assert_eq!(listener.stdout.next(), r#"{"method":"chat.joined","params":{"name":"Mary"}}"#);
        assert_eq!(
            listener.stdout.next(),
            r#"{"method":"chat.message","params":{"from":"Mary","text":"hello"}}"#
        );
        assert_eq!(listener.stdout.next(), r#"{"method":"chat.left","params":{"name":"Mary"}}"#);
    }

    ada.terminate();
    assert_eq!(ada.wait().code(), Some(0));
    assert_eq!(grace.stdout.next(), r#"{"method":"chat.left","params":{"name":"Ada"}}"#);
    assert_eq!(run(&["call", &demo.http, "chat.members"]).succeeded(), "[\"Grace\"]\n");
}

#[test]
fn the_clock_ticks_for_those_who_subscribe() {
    let demo = Demo::start();
    let mut listener = Running::start(&["listen", &demo.ws, "clock.ticks"]);
    for _ in 0..2 {
        let tick: serde_json::Value = serde_json::from_str(&listener.stdout.next()).unwrap();
        assert_eq!(tick["method"], "clock.ticks");
        let time = tick["params"]["result"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
    }
}

#[test]
fn it_ends_with_the_connection() {
    let mut demo = Demo::start();
    let mut listener = Running::start(&["listen", &demo.ws]);
    assert_eq!(listener.stderr.next(), "connected");
    demo.program.terminate();
    assert_eq!(demo.program.wait().code(), Some(0));
    assert_eq!(listener.wait().code(), Some(0));
    let told = listener.stderr.next();
    assert!(told.starts_with("disconnected: "), "{told}");
}

#[test]
fn it_connects_again_if_told_so() {
    let (address, first) = stranger::says("{\"jsonrpc\":\"2.0\",\"method\":\"first\"}\n");
    let mut listener =
        Running::start(&["listen", &format!("tcp://{address}"), "hello", "--reconnect", "--timeout", "1h"]);
    assert_eq!(listener.stdout.next(), r#"{"method":"first"}"#);
    assert!(first.join().unwrap().contains(r#""method":"hello""#));
    listener.stderr.find("disconnected: ");
    let again = std::net::TcpListener::bind(address).unwrap();
    let (stream, _) = again.accept().unwrap();
    listener.stderr.until("connected");
    let mut heard = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stream), &mut heard).unwrap();
    assert!(heard.contains(r#""method":"hello""#), "{heard}");
}

#[test]
fn a_call_is_printed_and_refused() {
    let (address, server) =
        stranger::says("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ask\",\"params\":[ 1.50 ]}\n");
    let mut listener = Running::start(&["listen", &format!("tcp://{address}")]);
    assert_eq!(listener.stdout.next(), r#"{"method":"ask","params":[1.50]}"#);
    let answer: serde_json::Value = serde_json::from_str(&server.join().unwrap()).unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&1.into(), &(-32601).into()));
}

#[test]
fn over_http_there_is_nothing_to_hear() {
    let told = run(&["listen", "http://127.0.0.1:1"]).failed(2);
    assert!(told.contains("ws://"), "{told}");
}

#[test]
fn a_first_call_that_fails_ends_it() {
    let demo = Demo::start();
    let told = run(&["listen", &demo.tcp, "chat.join", r#"["\u001b"]"#]).failed(1);
    assert!(told.contains("code: 2001"), "{told}");
}
