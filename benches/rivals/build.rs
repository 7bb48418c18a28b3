//! Writes tonic's client and server of `Numbers`, as a `.proto` file with one streaming method would have them.
//!
//! From a description in Rust, so that no `protoc` is needed.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let count = Method::builder()
        .name("count")
        .comment("`items` numbers, from 0 on.")
        .route_name("Count")
        .input_type("crate::count::Count")
        .output_type("crate::tonic_service::Item")
        .codec_path("tonic_prost::ProstCodec")
        .server_streaming()
        .build();
    let numbers = Service::builder().package("rivals").name("Numbers").comment("Counts.").method(count);
    Builder::new().compile(&[numbers.build()]);
}
