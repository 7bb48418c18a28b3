//! `trunkline demo`.

use crate::{
    openrpc::assert_valid,
    program::{Demo, Running, run},
};

#[test]
fn a_taken_port_names_the_next_step() {
    let demo = Demo::start();
    let http = demo.http.trim_start_matches("http://").trim_end_matches('/');
    let tcp = demo.tcp.trim_start_matches("tcp://");
    for args in
        [["demo", "--http", http, "--tcp", "127.0.0.1:0"], ["demo", "--http", "127.0.0.1:0", "--tcp", tcp]]
    {
        let told = run(&args).failed(3);
        assert!(
            told.starts_with(&format!(
                "error: cannot listen on {}",
                if args[2] == http { http } else { tcp }
            )),
            "{told}"
        );
        assert!(told.contains("--http 127.0.0.1:0"), "{told}");
    }
}

#[test]
fn people_are_told_what_to_try() {
    let mut demo = Running::start(&["demo", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0"]);
    let curl = demo.stdout.find("curl ");
    let call = demo.stdout.find(" call ");
    let url = call.split_whitespace().find(|word| word.starts_with("ws://")).unwrap();
    assert!(curl.contains(url.trim_start_matches("ws://")), "{curl}");
    assert!(call.ends_with(" add '[2, 3]'"), "{call}");
    assert_eq!(run(&["call", url, "add", "[2, 3]"]).succeeded(), "5\n");
    demo.stdout.find("Ctrl-C stops");
    demo.terminate();
    assert_eq!(demo.wait().code(), Some(0));
}

#[test]
fn it_describes_itself() {
    let demo = Demo::start();
    let document: serde_json::Value =
        serde_json::from_str(&run(&["call", &demo.http, "rpc.discover"]).succeeded()).unwrap();
    let methods = document["methods"].as_array().unwrap();
    for name in ["add", "chat.join", "clock.now", "echo"] {
        assert!(methods.iter().any(|method| method["name"] == name), "{name}");
    }
    assert!(methods.iter().all(|method| method["description"].is_string()));
    assert_valid(&document);
}
