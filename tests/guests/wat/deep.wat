;; Calls itself as deep as the number says, and the host only from the very bottom.
(component
  (import "hubcap:plugin/log@1.0.0" (instance $log
    (type $level' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "write" (func (param "level" $level) (param "message" string)))
  ))
  (core module $room
    (memory (export "memory") 1)
    (data (i32.const 16) "the bottom"))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory'))
  (core func $write (canon lower (func $log "write") (memory $memory')))
  (core module $case
    (import "log" "write" (func $write (param i32 i32 i32)))
    (func $deeper (param $n i32) (result i32)
      (if (i32.eqz (local.get $n))
        (then
          (call $write (i32.const 2) (i32.const 16) (i32.const 10))
          (return (i32.const 0))))
      (i32.add (call $deeper (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))
    (func (export "run") (param $n i32) (result i32)
      (drop (call $deeper (local.get $n)))
      (i32.const 0)))
  (core instance $log' (export "write" (func $write)))
  (core instance $case (instantiate $case (with "log" (instance $log'))))
  ;; include plugin.part
)
