//! `trunkline bench`.

use crate::{
    program::{Demo, run},
    stranger,
};
use serde_json::Value;

#[test]
fn calls_and_latencies_are_counted_on_every_transport() {
    let demo = Demo::start();
    for url in demo.urls() {
        let args = [
            "bench",
            url,
            "add",
            "[2, 3]",
            "--connections",
            "2",
            "--in-flight",
            "8",
            "--seconds",
            "1",
            "--json",
        ];
        let done = run(&args);
        assert_eq!(done.code, Some(0), "{done:?}");
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        let number = |value: &Value| value.as_f64().unwrap();
        assert!(number(&report["calls"]) > 0.0 && number(&report["calls_per_s"]) > 0.0, "{report}");
        assert!(number(&report["seconds"]) >= 1.0, "{report}");
        assert_eq!(report["errors"], serde_json::json!({}));
        let ranks = ["p50", "p90", "p99", "p99.9", "max"].map(|name| number(&report["latency_us"][name]));
        assert!(ranks[0] > 0.0 && ranks.is_sorted(), "{report}");
    }
}

#[test]
fn faults_are_counted_by_what_they_say() {
    let demo = Demo::start();
    let done = run(&["bench", &demo.tcp, "divide", "[1, 0]", "-s", "1", "-i", "2"]);
    assert!(done.stdout.contains("× division by zero (code 1001)"), "{done:?}");
    assert!(done.failed(1).contains("calls failed"));
}

#[test]
fn a_server_that_does_not_answer_is_not_fast() {
    let (address, server) = stranger::silent();
    let told = run(&["bench", &format!("tcp://{address}"), "add", "-s", "1", "-i", "1"]).failed(4);
    assert!(told.contains("no call was answered"), "{told}");
    assert!(!server.join().unwrap().is_empty());
    run(&["bench", &format!("tcp://{}", stranger::nobody()), "add", "-s", "1"]).failed(3);
}
