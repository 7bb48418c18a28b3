#[trunkline::service]
trait Math {
    async fn add(&self, a: i64, b: i64) -> i64;
}

struct MyMath;

fn main() {
    let _ = trunkline::Router::new().service(MathService::new(MyMath));
}

//~ 9:63 the trait `Math` is not implemented for `MyMath`
//~ 9:46 the trait `Math` is not implemented for `MyMath`
