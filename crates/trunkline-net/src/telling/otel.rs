//! [`Trace`]s as OpenTelemetry has them: its parent of a span, and where a span stands.
//!
//! Nothing here does anything unless the program collects spans with a layer of
//! `tracing-opentelemetry`.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use std::str::FromStr;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use trunkline_core::Trace;

/// Makes `trace` the remote parent of a span that is new; without one it begins a trace
/// of its own, whatever span is current: that of a connection lasts too long for one.
pub(super) fn set_parent(span: &Span, trace: Option<&Trace>) {
    let parent = Context::new();
    let parent = match trace {
        Some(trace) => parent.with_remote_span_context(remote(trace)),
        None => parent,
    };
    // fails where no layer of OpenTelemetry collects this span
    let _ = span.set_parent(parent);
}

/// Where the program stands at this moment, in spans of `tracing` or of OpenTelemetry.
pub(super) fn here() -> Option<Trace> {
    place(&Span::current().context()).or_else(|| Context::map_current(place))
}

/// Goes on with the trace of `span`, which is new, or else of the one that is current;
/// but not away from the trace that was said.
pub(super) fn go_on(span: Option<&Span>, trace: &mut Option<Trace>) {
    let here = here();
    let leaves = |place: &Trace| trace.as_ref().is_some_and(|said| said.trace_id() != place.trace_id());
    let away = here.as_ref().is_none_or(leaves);
    if let Some(span) = span
        && let Some(said) = trace.as_ref().filter(|_| away)
    {
        set_parent(span, Some(said));
    }
    let there = span.and_then(|span| place(&span.context()));
    *trace = there.or_else(|| here.filter(|_| !away)).or_else(|| trace.take());
}

/// Gives a span another name, also one that others stand in already.
pub(super) fn rename(span: &Span, name: &str) {
    span.context().span().update_name(name.to_owned());
}

fn place(context: &Context) -> Option<Trace> {
    let span = context.span();
    let here = span.span_context();
    let (trace, span) = (here.trace_id().to_bytes(), here.span_id().to_bytes());
    Some(Trace::new(trace, span, here.is_sampled())?.with_state(&here.trace_state().header()))
}

fn remote(trace: &Trace) -> SpanContext {
    let state = TraceState::from_str(trace.state()).unwrap_or_default();
    let flags = TraceFlags::new(trace.flags());
    let (trace, span) = (TraceId::from_bytes(trace.trace_id()), SpanId::from_bytes(trace.span_id()));
    SpanContext::new(trace, span, flags, true, state)
}
