//! The health of the server.

use crate::support::{plain, start};
use trunkline_core::Limits;

const WELL: &str = r#"{"status":"ok"}"#;

#[tokio::test]
async fn a_server_tells_that_it_is_well() {
    let server = plain().await;
    let answer = server.ask("GET /health", "").await;
    assert_eq!((answer.status, &*answer.body), (200, WELL));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(server.ask("HEAD /health", "").await.status, 200);
    let answer = server.post("/health", "{}").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn it_does_so_where_it_is_told_to() {
    let elsewhere = start(Limits::default(), |http, _| http.health("/alive")).await;
    assert_eq!(elsewhere.ask("GET /alive", "").await.body, WELL);
    assert_eq!(elsewhere.ask("GET /health", "").await.status, 404);
    let nowhere = start(Limits::default(), |http, _| http.without_health()).await;
    assert_eq!(nowhere.ask("GET /health", "").await.status, 404);
}
