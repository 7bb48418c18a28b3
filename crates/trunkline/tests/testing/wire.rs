//! Scripts, and what they say when it goes otherwise.

use serde_json::json;
use trunkline::{Router, testing::Wire};

fn wire() -> Wire {
    Wire::to(Router::new().procedure("ping", async || "pong"))
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// What a script says that fails.
async fn failed(script: impl Future<Output = ()> + Send + 'static) -> String {
    let failed = tokio::spawn(script).await.expect_err("the script does not fail");
    *failed.into_panic().downcast::<String>().unwrap()
}

#[tokio::test]
async fn values_are_compared_and_not_their_spelling() {
    let mut wire = wire();
    wire.line(PING).await;
    wire.expect(json!({"id": 1, "result": "pong", "jsonrpc": "2.0"})).await;
    wire.send(PING.as_bytes()).await;
    wire.send([b'\n']).await;
    assert_eq!(wire.next_text().await, r#"{"jsonrpc":"2.0","id":1,"result":"pong"}"#);
    wire.is_well().await;
    wire.finish().await;
    wire.expect_end().await;
    assert!(matches!(wire.ended().await, trunkline::Ended::ByPeer));
}

#[tokio::test(start_paused = true)]
async fn a_failure_says_what_was_expected_what_came_and_where() {
    let other = failed(async {
        let mut wire = wire();
        wire.line(PING).await;
        wire.expect(json!({"jsonrpc": "2.0", "id": 1, "result": "peng"})).await;
    });
    let silence = failed(async {
        let (near, _far) = tokio::io::duplex(100);
        Wire::over(near).expect(json!({"jsonrpc": "2.0", "method": "news"})).await;
    });
    let end = failed(async {
        let mut wire = wire();
        wire.finish().await;
        wire.next().await;
    });
    let no_end = failed(async {
        let mut wire = wire();
        wire.line(PING).await;
        wire.expect_end().await;
    });
    let more = failed(async {
        let mut wire = wire();
        wire.line(PING).await;
        wire.is_well().await;
    });
    let no_json = failed(async {
        let (near, far) = tokio::io::duplex(100);
        let mut far = Wire::over(far);
        far.line("hello").await;
        Wire::over(near).next().await;
    });
    let unread = failed(async {
        let (near, _far) = tokio::io::duplex(100);
        Wire::over(near).send([0; 101]).await;
    });
    let gone = failed(async {
        let (near, _) = tokio::io::duplex(100);
        Wire::over(near).line("hello").await;
    });
    for (said, parts) in [
        (
            other.await,
            &[r#"expected {"id":1,"jsonrpc":"2.0","result":"peng"}"#, r#"came: {"id":1,"#, "pong"][..],
        ),
        (silence.await, &["expected {", "news", "nothing comes"]),
        (end.await, &["expected a message", "the far side has said its last"]),
        (no_end.await, &["expected the end of the connection", "this came: {", "pong"]),
        (more.await, &["expected nothing but an answer", "this came: {", "pong"]),
        (no_json.await, &["expected a message", r#"this came: "hello" ("#]),
        (unread.await, &["the far side does not read"]),
        (gone.await, &["the far side takes nothing more"]),
    ] {
        for part in parts {
            assert!(said.contains(part), "{said:?} does not say {part:?}");
        }
        assert!(said.contains(", at crates/trunkline/tests/testing/wire.rs:"), "{said}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_the_one_expected() {
    for (method, args, id) in [("sub", [2, 3], true), ("add", [3, 3], true), ("add", [2, 3], false)] {
        let said = failed(async move {
            let (client, mut server) = Wire::to_client();
            let client = client.connect_lazy().unwrap();
            if id {
                let call = tokio::spawn(async move { client.call::<i64>(method, args).await });
                server.expect_call("add", (2, 3)).await;
                drop(call);
            } else {
                client.notify(method, args).await.unwrap();
                server.expect_call("add", (2, 3)).await;
            }
        });
        let said = said.await;
        assert!(
            said.starts_with(r#"expected {"jsonrpc":"2.0","method":"add","params":[2,3]} with an id"#),
            "{said}"
        );
        assert!(
            said.contains(&format!(r#""method":"{method}","params":[{},{}]}}"#, args[0], args[1])),
            "{said}"
        );
    }
}
