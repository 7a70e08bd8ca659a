;; Imports what no plugin gets: TCP.
(component
  (import "wasi:sockets/tcp@0.2.12" (instance (export "tcp-socket" (type (sub resource)))))
  (core module $case (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
