# What a put costs, by how many share a message, the value's size, the cluster's size and the log's length. Called by scripts/plot.
set datafile separator ","
set terminal svg size 980,760 font "sans-serif,13" background "white"
set output out
set grid xtics ytics linecolor "#dddddd"
set multiplot layout 2,2
set ylabel "processor time of a put, us"
set logscale x
set yrange [0:*]
set key top right

of(table, replicas) = sprintf("< awk -F, '$1 == \"%s\" && $2 == %d && $6 == 1' '%s'", table, replicas, data)

set xlabel "clients that ask again as soon as they are answered"
set logscale y
set yrange [1:100]
plot of("clients", 3) using 3:9 with linespoints linecolor "#1f5fa8" pointtype 7 title "3 replicas", \
     of("clients", 5) using 3:9 with linespoints linecolor "#c0392b" pointtype 7 title "5 replicas"
unset logscale y
set yrange [0:*]

set xlabel "size of a value, bytes (3 replicas, 64 clients)"
set key top left
plot of("values", 3) using 4:9 with linespoints linecolor "#1f5fa8" pointtype 7 notitle

unset logscale x
set xlabel "replicas (64 clients, 256 bytes)"
plot sprintf("< awk -F, '$1 == \"sizes\"' '%s'", data) using 2:9 with linespoints linecolor "#1f5fa8" pointtype 7 notitle

set logscale x
set format x "10^{%T}"
set xlabel "entries in the log so far (3 replicas, 64 clients, 16 bytes)"
set key bottom left
plot of("log", 3) using 7:9 with linespoints linecolor "#1f5fa8" pointtype 7 title "log never cut", \
     of("log-snapshots", 3) using 7:9 with linespoints linecolor "#c0392b" pointtype 7 title "a snapshot each 8 MiB"
unset multiplot
