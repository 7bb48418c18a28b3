//! Reading and writing one message: what every call pays.
//!
//! `raw_value` is the road not taken: serde_json into a struct of `RawValue`s.
//! It neither limits depth nor tells a null id from an absent one.

use std::borrow::Cow;

use divan::{Bencher, black_box};
use serde::Deserialize;
use serde_json::value::RawValue;
use trunkline_dialects::jsonrpc::{Rules, read, write};

fn main() {
    divan::main();
}

/// A request of about `size` bytes; 84 is the size of an ordinary call.
fn request(size: usize) -> String {
    let element = r#"{"name":"Ada","tags":["a","b"],"at":[51.5,-0.12],"ok":true,"next":null}"#;
    let params = match size {
        84 => r#"{"minuend":42,"subtrahend":23}"#.to_owned(),
        _ => format!("[{}]", vec![element; size / element.len()].join(",")),
    };
    format!(r#"{{"jsonrpc":"2.0","method":"subtract","params":{params},"id":1234}}"#)
}

const SIZES: [usize; 3] = [84, 1024, 65_536];

#[divan::bench(args = SIZES, sample_size = 200)]
fn reader(bencher: Bencher<'_, '_>, size: usize) {
    let (text, rules) = (request(size), Rules::default());
    bencher.bench_local(|| read(black_box(&text), black_box(&rules)).is_ok());
}

#[divan::bench(args = SIZES, sample_size = 200)]
fn raw_value(bencher: Bencher<'_, '_>, size: usize) {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        jsonrpc: Cow<'a, str>,
        #[serde(borrow)]
        method: Option<Cow<'a, str>>,
        #[serde(borrow)]
        params: Option<&'a RawValue>,
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        result: Option<&'a RawValue>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }
    let text = request(size);
    bencher.bench_local(|| {
        let envelope: Envelope<'_> = serde_json::from_str(black_box(&text)).ok()?;
        let Envelope { jsonrpc, method, params, id, result, error } = black_box(envelope);
        Some((jsonrpc == "2.0", method.is_some(), [params, id, result, error].map(|part| part.is_some())))
    });
}

/// A long string among the parameters, which the scanner takes in blocks.
#[divan::bench]
fn reader_64_kib_text(bencher: Bencher<'_, '_>) {
    let text = format!(r#"{{"jsonrpc":"2.0","method":"put","params":["{}"],"id":1}}"#, "x".repeat(65_536));
    bencher.bench_local(|| read(black_box(&text), &Rules::default()).is_ok());
}

/// The envelope of a reply, into a buffer that has room.
#[divan::bench]
fn writer(bencher: Bencher<'_, '_>) {
    let mut out = Vec::with_capacity(128);
    bencher.bench_local(|| {
        out.clear();
        write::success_head(&mut out, black_box("1234"));
        out.extend_from_slice(black_box(b"19"));
        write::close(&mut out);
        black_box(out.len())
    });
}
