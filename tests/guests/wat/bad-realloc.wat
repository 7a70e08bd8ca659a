;; Asks the host for random bytes, which it puts where `realloc` says: nowhere sound, but for the number 0.
(component
  (import "wasi:random/random@0.2.12" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
  ))
  (import "wasi:clocks/monotonic-clock@0.2.12" (instance $clock (export "now" (func (result u64)))))
  (core func $now (canon lower (func $clock "now")))
  (core instance $clock' (export "now" (func $now)))
  (core module $room
    (import "clock" "now" (func $now (result i64)))
    (memory (export "memory") 1)
    (global $how (mut i32) (i32.const 0))
    (func $deeper (result i32) (i32.add (call $deeper) (i32.const 1)))
    (func (export "how") (param $how i32) (global.set $how (local.get $how)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      ;; Too near the end; the last address there is; back into the host; never back; a trap; too deep.
      (if (i32.eq (global.get $how) (i32.const 1)) (then (return (i32.const 65535))))
      (if (i32.eq (global.get $how) (i32.const 2)) (then (return (i32.const -1))))
      (if (i32.eq (global.get $how) (i32.const 3)) (then (drop (call $now))))
      (if (i32.eq (global.get $how) (i32.const 4)) (then (loop $again (br $again))))
      (if (i32.eq (global.get $how) (i32.const 5)) (then (unreachable)))
      (if (i32.eq (global.get $how) (i32.const 6)) (then (drop (call $deeper))))
      (i32.const 1024)))
  (core instance $room (instantiate $room (with "clock" (instance $clock'))))
  (alias core export $room "memory" (core memory $memory'))
  (alias core export $room "realloc" (core func $realloc'))
  (core func $random (canon lower (func $random "get-random-bytes") (memory $memory') (realloc $realloc')))
  (core module $case
    (import "room" "how" (func $how (param i32)))
    (import "random" "get" (func $random (param i64 i32)))
    (func (export "run") (param $n i32) (result i32)
      (call $how (local.get $n))
      (call $random (i64.const 8) (i32.const 256))
      (i32.const 0)))
  (core instance $random' (export "get" (func $random)))
  (core instance $case (instantiate $case
    (with "room" (instance $room)) (with "random" (instance $random'))))
  ;; include plugin.part
)
