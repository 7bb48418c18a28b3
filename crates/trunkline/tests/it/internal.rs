//! What is internal is unknown to everybody else.

use crate::support::Wire;
use trunkline::{Context, Fault, FaultKind, Next, OwnedCall, Payload, Router, handler};

/// Messages about the procedure NAME, with an answer each.
const MESSAGES: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":1,"method":"NAME"}"#,
    r#"{"jsonrpc":"2.0","id":"1","method":"NAME","params":[]}"#,
    r#"{"jsonrpc":"2.0","id":null,"method":"NAME","params":{"floor":1}}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"NAME","params":[1]}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"NAME","params":["no number"]}"#,
    r#"{"jsonrpc":"2.0","id":3.5,"method":"NAME","params":7}"#,
    r#"{"params":[1],"method":"NAME","id":4,"jsonrpc":"2.0","more":true}"#,
    r#"[{"jsonrpc":"2.0","id":5,"method":"NAME","params":[1]},{"jsonrpc":"2.0","method":"NAME"}]"#,
    r#"[{"jsonrpc":"2.0","id":6,"method":"ping"},{"jsonrpc":"2.0","id":6,"method":"NAME"}]"#,
];

fn router() -> Router {
    let inner = Router::new()
        .procedure("sweep", handler(async |floor: u8| floor).internal())
        .guard(|_| Err(Fault::new(FaultKind::Forbidden, "not for you")))
        .layer(async |call: OwnedCall, next: Next| next.run(call).await);
    Router::new().scope("own", inner).procedure("ping", async || "pong")
}

async fn answers(router: Router, name: &str) -> Vec<String> {
    let mut wire = Wire::to(router);
    let mut answers = Vec::new();
    for message in MESSAGES {
        wire.line(message.replace("NAME", name)).await;
        answers.push(wire.next_text().await);
    }
    wire.line(r#"{"jsonrpc":"2.0","method":"NAME","params":[1]}"#.replace("NAME", name)).await;
    wire.is_well().await;
    answers
}

#[tokio::test]
async fn what_is_internal_answers_as_what_does_not_exist_does() {
    let internal = answers(router(), "own.sweep").await;
    assert_eq!(internal, answers(router(), "own.sweeq").await);
    assert!(internal[0].contains("-32601"), "{}", internal[0]);
    let open = || router().fallback(async |_: trunkline::RawArgs| "whatever it was");
    assert_eq!(answers(open(), "own.sweep").await, internal, "a fallback does not get it");
}

/// The guard hears of no call from outside, and of those from inside: what is
/// internal is no way round it.
#[tokio::test]
async fn this_program_calls_what_is_internal() {
    let open = Router::new().procedure("sweep", handler(async |floor: u8| floor).internal()).seal();
    let args = || Some(Payload::Json("[3]"));
    let answer = open.call("sweep", args(), &Context::local()).await.unwrap();
    assert_eq!(answer.decode::<u8>().unwrap(), 3);
    let fault = router().seal().call("own.sweep", args(), &Context::local()).await.unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Forbidden);
}

#[tokio::test]
async fn what_is_internal_is_not_described() {
    let names: Vec<_> = router().catalog().procedures.into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["ping".into()]);
}
