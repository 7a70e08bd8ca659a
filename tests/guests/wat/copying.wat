;; Copies all of its 60 MiB of memory: as often as the number says, and for ever where it is 0.
(component
  (core module $case
    (memory 960)
    (func (export "run") (param $n i32) (result i32)
      (loop $again
        (memory.copy (i32.const 0) (i32.const 65536) (i32.const 62849024))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_if $again (local.get $n)))
      (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
