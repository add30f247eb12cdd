# Time without an answer and idle messages, by the smallest election timeout. Called by scripts/plot.
set datafile separator ","
set terminal svg size 760,440 font "sans-serif,13" background "white"
set output out
set key top center horizontal
set grid xtics ytics linecolor "#dddddd"
set logscale xyy2
set xlabel "smallest election timeout, ms (heartbeats: 0.4 of it)"
set ylabel "from the kill to the first answered put, ms"
set y2label "messages a second when idle"
set xtics (50, 100, 200, 500, 1000, 2000, 4000)
set xrange [40:5000]
set yrange [30:20000]
set y2range [3:2000]
set ytics nomirror
set y2tics
plot data skip 1 using 1:3 smooth unique with linespoints linecolor "#c0392b" pointtype 7 title "p99", \
     data skip 1 using 1:2 smooth unique with linespoints linecolor "#1f5fa8" pointtype 7 title "median", \
     x with lines linecolor "#999999" dashtype 2 title "the timeout itself", \
     data skip 1 using 1:5 smooth unique axes x1y2 with linespoints linecolor "#2e7d32" pointtype 5 title "idle messages/s (right)"
