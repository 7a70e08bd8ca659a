;; Calls itself as deep as the number says, and a host function at each depth.
(component
  (import "wasi:clocks/monotonic-clock@0.2.12" (instance $clock (export "now" (func (result u64)))))
  (core func $now (canon lower (func $clock "now")))
  (core module $case
    (import "clock" "now" (func $now (result i64)))
    (func $deeper (param $n i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
      (drop (call $now))
      (i32.add (call $deeper (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))
    (func (export "run") (param $n i32) (result i32)
      (drop (call $deeper (local.get $n)))
      (i32.const 0)))
  (core instance $clock (export "now" (func $now)))
  (core instance $case (instantiate $case (with "clock" (instance $clock))))
  ;; include plugin.part
)
