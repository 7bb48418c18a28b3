//! POST: `Content-Type`, sizes, statuses.

use crate::support::{SUM, SUMMED, plain, response, rest, start};
use tokio::io::AsyncWriteExt;
use trunkline_core::Limits;

#[tokio::test]
async fn a_call_is_answered() {
    let server = plain().await;
    let answer = server.post("/", SUM).await;
    assert_eq!((answer.status, &*answer.body), (200, SUMMED));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}
