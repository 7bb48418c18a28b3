//! [`Mounted`]: a service of the user's, beside the endpoints.

use super::reply::{BoxError, Reply, ReplyBody, text};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Incoming};
use std::{future::Future, pin::Pin, sync::Arc};
use tower::{Service, ServiceExt};

/// Answers what no endpoint takes.
pub(super) type Mounted =
    Arc<dyn Fn(Request<Incoming>) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync>;

/// Erases the types of a service.
pub(super) fn mounted<S, B>(service: S) -> Mounted
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    Arc::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            match service.oneshot(request).await {
                Ok(response) => {
                    response.map(|body| ReplyBody::mounted(body.map_err(Into::into).boxed_unsync()))
                }
                Err(error) => {
                    let error: BoxError = error.into();
                    tracing::error!(%error, "the mounted service failed");
                    text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
                }
            }
        })
    })
}
