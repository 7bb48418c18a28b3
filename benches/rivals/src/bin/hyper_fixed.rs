//! The floor over HTTP: hyper takes the body in and answers the same bytes each time.

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use rivals::serve::{accept, announce, listen, run};

fn main() -> Result<()> {
    run(async |_| {
        let listener = listen().await?;
        announce(&[("http", listener.local_addr()?)]);
        let mut http = http1::Builder::new();
        http.pipeline_flush(true).timer(TokioTimer::new());
        loop {
            let stream = TokioIo::new(accept(&listener).await?);
            tokio::spawn(http.serve_connection(stream, service_fn(answer)));
        }
    })
}

async fn answer(request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    request.into_body().collect().await?;
    let mut response =
        Response::new(Full::new(Bytes::from_static(br#"{"jsonrpc":"2.0","id":10000,"result":3}"#)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
