// The chat of the Ktor tutorial: a synchronized set of connections, and for every message one send per connection. Each
// path is a room with a set of its own.
//
// Usage: java ChatKt PORT

import io.ktor.server.application.install
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.request.path
import io.ktor.server.routing.routing
import io.ktor.server.websocket.WebSockets
import io.ktor.server.websocket.pingPeriod
import io.ktor.server.websocket.timeout
import io.ktor.server.websocket.webSocket
import io.ktor.websocket.DefaultWebSocketSession
import io.ktor.websocket.Frame
import io.ktor.websocket.readText
import io.ktor.websocket.send
import java.util.Collections
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds

class Connection(val session: DefaultWebSocketSession) {
    val name = "user${everConnected.getAndIncrement()}"

    private companion object {
        val everConnected = AtomicInteger()
    }
}

fun main(arguments: Array<String>) {
    val port = arguments.single().toInt()
    val server = embeddedServer(Netty, port, host = "127.0.0.1") {
        install(WebSockets) {
            pingPeriod = 15.seconds
            timeout = 15.seconds
        }
        routing {
            val rooms = ConcurrentHashMap<String, MutableSet<Connection>>()
            webSocket("{...}") {
                val connections = rooms.computeIfAbsent(call.request.path()) {
                    Collections.synchronizedSet(LinkedHashSet<Connection>())
                }
                val connection = Connection(this)
                connections += connection
                try {
                    send("You are connected! There are ${connections.size} users here.")
                    for (frame in incoming) {
                        if (frame !is Frame.Text) continue
                        val text = "[${connection.name}]: ${frame.readText()}"
                        connections.forEach { it.session.send(text) }
                    }
                } finally {
                    connections -= connection
                }
            }
        }
    }
    server.start()
    println("listening on port $port")
    Thread.currentThread().join()
}
