;; Makes as many resources of its own as the number says and drops none.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $case
    (import "thing" "new" (func $new (param i32) (result i32)))
    (func (export "run") (param $n i32) (result i32)
      (loop $next
        (if (local.get $n)
          (then
            (drop (call $new (local.get $n)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br $next))))
      (i32.const 0)))
  (core instance $thing (export "new" (func $new)))
  (core instance $case (instantiate $case (with "thing" (instance $thing))))
  ;; include plugin.part
)
